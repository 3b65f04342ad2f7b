import io

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from api.cli.output import cell, printable
from api.cli.progress import BarProgress, CountedProgress, LineProgress, duration, pace_of
from indexer.jobs.progress import JobProgress


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1:00 min"),
        (125, "2:05 min"),
        (3599.6, "1:00:00 h"),
        (3665, "1:01:05 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (JobProgress("s", 0, 10, 0.0, None), ""),
        (JobProgress("s", 5, 10, 2.5, 2.0), "2.5/s, 2 s to go"),
        (JobProgress("s", 10, 10, 2.5, 0.0), "2.5/s"),
        (JobProgress("s", 1, 10, 1000.0, None, "loss 0.1"), "1,000.0/s, loss 0.1"),
    ],
)
def test_pace(progress: JobProgress, text: str) -> None:
    assert pace_of(progress) == text


def test_log_gets_a_line_now_and_then() -> None:
    lines: list[str] = []
    now = 0.0
    show = LineProgress(lines.append, clock=lambda: now)
    for done in range(0, 1001, 10):
        now = done / 100  # ten seconds in all
        show(JobProgress("features", done, 1000, 0.0, None))
    show(JobProgress("features", 1000, 1000, 0.0, None))
    show(JobProgress("embeddings", 0, 2000, 0.0, None))
    assert lines == [
        "features: 0/1,000",
        "features: 500/1,000",
        "features: 1,000/1,000",
        "embeddings: 0/2,000",
    ]


def test_bars_show_each_stage_and_complete_the_former() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        console=console,
        auto_refresh=False,
    )
    show = BarProgress(bars)
    show(JobProgress("features", 3, 10, 1.5, 4.0))
    show(JobProgress("features", 9, 10, 1.5, 1.0))
    show(JobProgress("index", 0, 5, 0.0, None))
    assert [(task.description, task.completed, task.total) for task in bars.tasks] == [
        ("features", 10, 10),
        ("index", 0, 5),
    ]
    assert bars.tasks[0].fields["pace"] == "1.5/s, 1 s to go"


def test_import_callback_becomes_job_progress() -> None:
    seen: list[JobProgress] = []
    now = 10.0
    count = CountedProgress("import", seen.append, clock=lambda: now)
    now = 14.0
    count(200, 1000)
    count(300, None)
    assert seen == [JobProgress("import", 200, 1000, 50.0, 16.0), JobProgress("import", 300, 300, 75.0, None)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        (True, "yes"),
        (0.12345, "0.123"),
        (12345, "12,345"),
        (("lyrics", "audio"), "lyrics, audio"),
        ((), "-"),
        ("a\x1b[2Jb\nc", "a [2Jb c"),
    ],
)
def test_cell(value: object, text: str) -> None:
    assert cell(value) == text


def test_printable_keeps_every_script() -> None:
    assert printable("Ünï 音楽 \u202e\x07") == "Ünï 音楽   "
