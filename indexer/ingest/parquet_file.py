"""Tables in Parquet files; text, numbers and dates are understood, nested columns are not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from engine.errors import TableError
from engine.vocabulary import LabelSchema
from indexer.ingest.columns import Columns, find_columns
from indexer.ingest.row import TableRow
from indexer.ingest.table import Table

SUFFIXES = (".parquet", ".pq")
BATCH = 500  # rows turned into Python objects at a time
_BUFFER = 1 << 20  # bytes read at a time, so that a row group is not held as a whole


def read_parquet(path: Path, labels: LabelSchema) -> Table:
    """Open a Parquet file; see `Table`.

    Raises
    ------
    TableError
        When the file cannot be read, is damaged, lacks a needed column, or has one of a type that is no cell.
    """
    with _open(path) as file:
        schema = file.schema_arrow
        columns = find_columns(path.name, schema.names, labels)
        for place in columns.used:
            if not _is_cell(schema.types[place]):
                raise TableError(
                    f"column {schema.names[place]!r} of {path.name} holds {schema.types[place]}; "
                    "expected text, numbers or dates"
                )
        total = sum(batch.num_rows for batch in _batches(file, columns))
    return Table(columns, total, lambda: _rows(path, columns))


def _rows(path: Path, columns: Columns) -> Iterator[TableRow]:
    number = 0
    with _open(path) as file:
        for batch in _batches(file, columns):
            values: list[list[object]] = [[None] * batch.num_rows] * len(columns.names)
            for place in columns.used:
                values[place] = _cells(batch.column(columns.names[place]))
            for cells in zip(*values, strict=True):
                number += 1
                yield TableRow(number, cells)


def _batches(file: Any, columns: Columns) -> Iterator[Any]:
    names = [columns.names[place] for place in columns.used]
    yield from file.iter_batches(batch_size=BATCH, columns=names, use_threads=False)


def _cells(column: Any) -> list[object]:
    """Plain Python values; text as bytes, because only the parser says which row is not UTF-8."""
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = column.cast(pa.large_binary())
    elif pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp(kind.unit)).cast(pa.string())  # without the zone: UTC
    elif pa.types.is_float16(kind):
        column = column.cast(pa.float32())
    return list(column.to_pylist())


def _is_cell(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    checks = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary,
        pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_date,
        pa.types.is_timestamp, pa.types.is_null,
    )  # fmt: skip
    return any(check(kind) for check in checks)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    try:
        with parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        reason = (str(error).splitlines() or ["unknown"])[0]
        raise TableError(
            f"{path.name} cannot be read as Parquet: {reason}; write it again, or import a CSV"
        ) from error
