"""Arithmetic of the stage clock, by a clock that is set by hand."""

import pytest

from indexer.jobs import progress
from indexer.jobs.progress import JobProgress, StageClock, no_report


class HandClock:
    """Stands in for the module ``time``."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    hand = HandClock()
    monkeypatch.setattr(progress, "time", hand)
    return hand


def test_rate_and_time_to_go(clock: HandClock) -> None:
    seen: list[JobProgress] = []
    stage = StageClock("features", 100, seen.append)
    clock.now += 4.0
    stage.advance(20)
    clock.now += 6.0
    stage.advance(30, detail="half")
    assert seen == [
        JobProgress("features", 20, 100, 5.0, 16.0),
        JobProgress("features", 50, 100, 5.0, 10.0, "half"),
    ]


def test_skipped_items_do_not_count_for_the_rate(clock: HandClock) -> None:
    seen: list[JobProgress] = []
    stage = StageClock("embeddings", 100, seen.append)
    clock.now += 2.0
    stage.advance(50, 0)
    clock.now += 2.0
    stage.advance(10, 8)
    assert seen == [
        JobProgress("embeddings", 50, 100, 0.0, None),
        JobProgress("embeddings", 60, 100, 2.0, 20.0),
    ]


def test_no_time_has_passed(clock: HandClock) -> None:
    seen: list[JobProgress] = []
    StageClock("read", 2, seen.append).advance(1)
    assert seen == [JobProgress("read", 1, 2, 0.0, None)]


def test_more_songs_than_counted_leave_no_time_to_go(clock: HandClock) -> None:
    seen: list[JobProgress] = []
    stage = StageClock("read", 2, seen.append)
    clock.now += 1.0
    stage.advance(4)
    assert seen == [JobProgress("read", 4, 2, 4.0, 0.0)]


def test_no_report_takes_any_progress(clock: HandClock) -> None:
    stage = StageClock("read", 2, no_report)
    stage.advance(2)
    assert stage.done == 2
