"""The import: a file or folder of the user's into the catalogue, batch by batch, with a reject report."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import TableError
from engine.vocabulary import LabelSchema
from indexer.catalog.catalog import Catalog
from indexer.catalog.imports import Reject
from indexer.catalog.records import SongRecord, UpsertCounts
from indexer.ingest import csv_file, parquet_file
from indexer.ingest.cells import shown
from indexer.ingest.columns import check_named, labels_to_take
from indexer.ingest.csv_file import read_csv
from indexer.ingest.folder import count_audio, read_folder
from indexer.ingest.parquet_file import read_parquet
from indexer.ingest.row import Outcome, RowParser
from indexer.ingest.table import Table

BATCH_ROWS = 1000
BATCH_CHARACTERS = 8_000_000  # of lyrics; ends a batch of very long ones early

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """One finished import: songs new, changed and as before, and rows (or files) not taken."""

    import_key: int
    added: int
    updated: int
    unchanged: int
    rejected: int


def import_path(
    catalog: Catalog, path: Path, labels: LabelSchema | None = None, progress: Progress | None = None
) -> ImportResult:
    """Import a table (.csv, .tsv, both also as .gz, .parquet, .pq) or a folder of tagged audio.

    Parameters
    ----------
    catalog
        Where the songs go. Songs that are not in the file stay; a song that is there already is replaced
        when its row differs. Each batch of up to 1,000 rows is stored as a whole or not at all.
    path
        The file or folder. ``audio_path`` and ``lyrics_path`` of a table are relative to its folder.
    labels
        Labels to take beside the default ones; one with the slug of a default label takes its place.
    progress
        Called after each batch with the rows read so far and their total.

    Raises
    ------
    TableError
        When nothing can be imported at all: no such file, another kind of file, an empty or damaged one, a
        needed column missing. Nothing is stored then.
    InputError
        When a label is known in the catalogue with another range. Nothing is stored then.
    """
    name = path.name.lower()
    if path.is_dir():
        return import_folder(catalog, path, labels, progress)
    if name.endswith(csv_file.SUFFIXES):
        return import_csv(catalog, path, labels, progress)
    if name.endswith(parquet_file.SUFFIXES):
        return import_parquet(catalog, path, labels, progress)
    if not path.exists():
        raise TableError(f"there is no file or folder {path}")
    known = ", ".join((*csv_file.SUFFIXES, *parquet_file.SUFFIXES))
    raise TableError(f"{path.name} is no kind of table that can be imported; use one of {known}, or a folder")


def import_csv(
    catalog: Catalog, path: Path, labels: LabelSchema | None = None, progress: Progress | None = None
) -> ImportResult:
    """Import a text table; see `import_path`."""
    taken = labels_to_take(labels, catalog.songs.label_schema())
    return _import_table(catalog, path, read_csv(path, taken), labels, progress)


def import_parquet(
    catalog: Catalog, path: Path, labels: LabelSchema | None = None, progress: Progress | None = None
) -> ImportResult:
    """Import a Parquet file; see `import_path`."""
    taken = labels_to_take(labels, catalog.songs.label_schema())
    return _import_table(catalog, path, read_parquet(path, taken), labels, progress)


def import_folder(
    catalog: Catalog, path: Path, labels: LabelSchema | None = None, progress: Progress | None = None
) -> ImportResult:
    """Import a folder of tagged audio; files carry no labels, so ``labels`` changes nothing."""
    del labels
    total = count_audio(path)
    source = _source(path)
    return _store(catalog, source, read_folder(path, source), total, progress)


def _import_table(
    catalog: Catalog, path: Path, table: Table, own: LabelSchema | None, progress: Progress | None
) -> ImportResult:
    check_named(path.name, table.columns, own)
    if table.columns.label_schema is not None:
        catalog.songs.register_labels(table.columns.label_schema)
    source = _source(path)
    parser = RowParser(table.columns, path.parent, Path(source).name, source)
    return _store(catalog, source, map(parser.parse, table.rows()), table.total, progress)


def _store(
    catalog: Catalog, source: str, outcomes: Iterable[Outcome], total: int, progress: Progress | None
) -> ImportResult:
    import_key = catalog.imports.start(source)
    counts, done, rejected = UpsertCounts(), 0, 0
    for batch in _batches(_without_repeats(outcomes, Path(source).name)):
        counts += catalog.imports.add_batch(import_key, batch.records, batch.rejects, batch.rejected)
        done += batch.rows
        rejected += batch.rejected
        if progress is not None:
            progress(done, total)
    catalog.imports.finish(import_key)
    return ImportResult(import_key, counts.added, counts.updated, counts.unchanged, rejected)


def _without_repeats(outcomes: Iterable[Outcome], location: str) -> Iterator[Outcome]:
    """Refuse every song whose id an earlier row of the same import has."""
    lines: dict[str, int | None] = {}
    for outcome in outcomes:
        record = outcome.record
        if record is None or record.song_id not in lines:
            if record is not None:
                lines[record.song_id] = outcome.line
            yield outcome
            continue
        first = lines[record.song_id]
        value, reason = record.song_id, f"is the id of line {first} already; that row stays"
        if outcome.id_field != "song_id":
            value = f"{record.artist}, {record.title}"
            reason = f"are those of line {first} already, which stays; add a song_id to tell them apart"
        reject = Reject(location, outcome.id_field, shown(value), reason, outcome.line)
        yield Outcome(None, (reject,), outcome.line)


@dataclass(slots=True)
class _Batch:
    """What goes into one transaction."""

    records: list[SongRecord] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0
    characters: int = 0

    def add(self, outcome: Outcome) -> None:
        """Take one row in."""
        self.rows += 1
        self.rejects += outcome.rejects
        if outcome.record is None:
            self.rejected += 1
        else:
            self.records.append(outcome.record)
            self.characters += len(outcome.record.lyrics or "")

    @property
    def full(self) -> bool:
        """Whether it is to be stored before more goes in."""
        return self.rows >= BATCH_ROWS or self.characters >= BATCH_CHARACTERS


def _batches(outcomes: Iterable[Outcome]) -> Iterator[_Batch]:
    batch = _Batch()
    for outcome in outcomes:
        batch.add(outcome)
        if batch.full:
            yield batch
            batch = _Batch()
    if batch.rows:
        yield batch


def _source(path: Path) -> str:
    return os.fsencode(path.resolve()).decode("utf-8", "replace")  # a name that a database can hold
