"""Progress of long work: stage, how many of how many, rate and time to go."""

import time
from collections.abc import Callable
from typing import NamedTuple


class JobProgress(NamedTuple):
    """Where a job stands; ``rate`` is items a second of this run, 0 while unknown, ``eta_s`` seconds to go."""

    stage: str
    done: int
    total: int
    rate: float
    eta_s: float | None
    detail: str = ""


ProgressCallback = Callable[[JobProgress], None]


def no_report(progress: JobProgress) -> None:
    """Report nothing."""


class StageClock:
    """Counts a stage's items and reports them with rate and ETA; skipped items do not count for the rate."""

    def __init__(self, stage: str, total: int, report: ProgressCallback) -> None:
        self.stage = stage
        self.total = total
        self.report = report
        self.done = 0
        self.worked = 0
        self.begun = time.monotonic()

    def advance(self, done: int, worked: int | None = None, detail: str = "") -> None:
        """Note ``done`` more items, of which ``worked`` (default: all) were not just skipped."""
        self.done += done
        self.worked += done if worked is None else worked
        seconds = time.monotonic() - self.begun
        rate = self.worked / seconds if self.worked and seconds > 0 else 0.0
        # Songs imported meanwhile may make ``done`` the larger one.
        eta_s = max(self.total - self.done, 0) / rate if rate else None
        self.report(JobProgress(self.stage, self.done, self.total, rate, eta_s, detail))
