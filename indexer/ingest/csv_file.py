"""Tables in text files: .csv and .tsv, also gzipped.

UTF-8, with or without a byte order mark. The delimiter is a comma (.csv) or a tab (.tsv) unless only a
semicolon, tab or comma gives a header with the needed columns. A first pass over the whole file finds what
would stop an import half way (a quote that is never closed, a cut-off gzip file), and counts the rows.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, cast

from engine.errors import TableError
from engine.vocabulary import LabelSchema
from indexer.catalog.database import storable
from indexer.ingest.columns import Columns, find_columns
from indexer.ingest.row import TableRow
from indexer.ingest.table import Table

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
MAX_LINE = 16_000_000  # characters of a line or cell; what is longer is no table of songs

_NEVER_CLOSED = "unexpected end of data"  # the two errors of Python's csv that no later line mends
_TOO_LONG = "field larger than field limit"


def read_csv(path: Path, labels: LabelSchema) -> Table:
    """Open a text table; see `Table`.

    Raises
    ------
    TableError
        When the file cannot be read, is empty, not UTF-8, not a table, or lacks a needed column.
    """
    with _explained(path):
        delimiter, columns = _find_delimiter(path, labels)
        total = sum(1 for _ in _rows(path, delimiter, columns))
    return Table(columns, total, lambda: _explained_rows(path, delimiter, columns))


def _find_delimiter(path: Path, labels: LabelSchema) -> tuple[str, Columns]:
    usual = "\t" if ".tsv" in path.name.lower() else ","
    refused: TableError | None = None
    for delimiter in (usual, *(other for other in ",;\t" if other != usual)):
        try:
            return delimiter, find_columns(path.name, _header(path, delimiter), labels)
        except TableError as error:
            refused = refused or error
    raise refused or TableError(f"{path.name} has no header")


def _header(path: Path, delimiter: str) -> list[str]:
    with _open(path) as file:
        records = csv.reader(_lines(path, file), delimiter=delimiter, strict=True)
        try:
            header = next((record for record in records if record), None)
        except csv.Error as error:
            raise TableError(f"the header of {path.name} cannot be read: {error}") from error
    if header is None:
        raise TableError(f"{path.name} is empty; its first line must name the columns")
    if not all(map(storable, header)):
        raise TableError(f"{path.name} is not UTF-8 text; save it as UTF-8 CSV")
    return header


def _explained_rows(path: Path, delimiter: str, columns: Columns) -> Iterator[TableRow]:
    with _explained(path):
        yield from _rows(path, delimiter, columns)


def _rows(path: Path, delimiter: str, columns: Columns) -> Iterator[TableRow]:
    width = len(columns.names)
    with _open(path) as file:
        records = csv.reader(_lines(path, file), delimiter=delimiter, strict=True)
        seen_header = False
        while True:
            line = records.line_num + 1
            problem = None
            try:
                record = next(records, None)
            except csv.Error as error:
                record, problem = [], _problem(path, line, error)
            if record is None:
                return
            if not record and problem is None:
                continue  # a blank line
            if not seen_header:
                seen_header = True
                continue
            if problem is None and len(record) != width:
                problem = f"the header has {width} columns; check delimiters and quotes"
            yield TableRow(line, record, problem)


def _problem(path: Path, line: int, error: csv.Error) -> str:
    """Reason against one row; a `TableError` when the rest of the file cannot be trusted either."""
    if _NEVER_CLOSED in str(error):
        raise TableError(
            f"{path.name}, line {line}: a quoted cell begins there and never ends; close the quote"
        )
    if _TOO_LONG in str(error):
        raise TableError(
            f"{path.name}, line {line}: a cell has more than {MAX_LINE:,} characters; is a quote not closed?"
        )
    return f"is not valid CSV: {error}"


@contextmanager
def _open(path: Path) -> Iterator[TextIO]:
    csv.field_size_limit(MAX_LINE)
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    # Bytes that are not UTF-8 come through as surrogates, so that only their own row is lost.
    with opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        yield cast(TextIO, file)


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise TableError(
                f"line {number} of {path.name} has more than {MAX_LINE:,} characters; is it CSV?"
            )
        yield line


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise TableError(
            f"{path.name} cannot be read: {reason}; check the path and that the file is whole"
        ) from error
    except (EOFError, zlib.error) as error:
        raise TableError(f"{path.name} is a damaged gzip file: {error}; copy or pack it again") from error
