"""Progress of long work on stderr: bars on a terminal, plain lines in a log."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from api.cli.output import console
from indexer.jobs.progress import JobProgress, ProgressCallback

_LINE_EVERY_S = 5.0  # at most one line of a stage in this time, beside its first and its last


def quiet_libraries() -> None:
    """Keep reports of the model libraries, and their bars in a log, out of the way; call before they load."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


@contextmanager
def shown_progress() -> Iterator[ProgressCallback]:
    """Callback that shows the progress of one job until the block ends."""
    if not sys.stderr.isatty():
        yield LineProgress(partial(typer.echo, err=True))
        return
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
    )
    with Progress(*columns, console=console(error=True)) as bars:
        yield BarProgress(bars)


class BarProgress:
    """One bar a stage; a stage is complete when the next one begins."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._stage = ""
        self._task: TaskID | None = None
        self._total = 0

    def __call__(self, progress: JobProgress) -> None:
        """Show where the job stands."""
        pace = pace_of(progress)
        if self._task is None or progress.stage != self._stage:
            if self._task is not None:
                self._bars.update(self._task, completed=self._total)
            self._stage = progress.stage
            self._task = self._bars.add_task(progress.stage, total=progress.total, pace=pace)
        self._total = progress.total
        self._bars.update(self._task, completed=progress.done, total=progress.total, pace=pace)


class LineProgress:
    """A line for the beginning and the end of a stage, and one now and then between."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._stage: str | None = None
        self._written_at = 0.0
        self._ended = False

    def __call__(self, progress: JobProgress) -> None:
        """Write where the job stands, unless it was written a moment ago."""
        now = self._clock()
        begins = progress.stage != self._stage
        ends = progress.done >= progress.total
        waits = self._ended if ends else now - self._written_at < _LINE_EVERY_S
        if waits and not begins:
            return
        self._stage, self._written_at, self._ended = progress.stage, now, ends
        parts = (f"{progress.stage}: {progress.done:,}/{progress.total:,}", pace_of(progress))
        self._write(", ".join(part for part in parts if part))


class CountedProgress:
    """Adapter of the import's callback (rows read, rows in all) to a `ProgressCallback`."""

    def __init__(
        self, stage: str, report: ProgressCallback, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stage = stage
        self._report = report
        self._clock = clock
        self._begun = clock()

    def __call__(self, done: int, total: int | None) -> None:
        """Report, with the rate since the beginning."""
        seconds = self._clock() - self._begun
        rate = done / seconds if seconds > 0 else 0.0
        eta_s = (total - done) / rate if total is not None and rate else None
        self._report(JobProgress(self._stage, done, done if total is None else total, rate, eta_s))


def pace_of(progress: JobProgress) -> str:
    """Rate, time to go and detail, as far as they are known."""
    parts = []
    if progress.rate:
        parts.append(f"{progress.rate:,.1f}/s")
    if progress.eta_s is not None and progress.done < progress.total:
        parts.append(f"{duration(progress.eta_s)} to go")
    if progress.detail:
        parts.append(progress.detail)
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as people say them: ``8 s``, ``2:05 min``, ``1:01:05 h``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02} min"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02} h"
