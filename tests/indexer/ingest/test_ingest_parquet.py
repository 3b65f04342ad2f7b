from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from engine.errors import TableError
from engine.vocabulary import DEFAULT_LABELS, Label, LabelSchema
from indexer.ingest import parquet_file
from indexer.ingest.parquet_file import read_parquet
from indexer.ingest.row import Outcome, RowParser
from tests.indexer.ingest.tables import write_parquet

LABELS = LabelSchema((*DEFAULT_LABELS, Label.named("bpm", 0, 300)))


def outcomes(path: Path) -> list[Outcome]:
    table = read_parquet(path, LABELS)
    parser = RowParser(table.columns, path.parent, path.name, str(path))
    found = [parser.parse(row) for row in table.rows()]
    assert [outcome.line for outcome in found] == list(range(1, table.total + 1))
    return found


def values(path: Path, field: str) -> list[object]:
    return [getattr(outcome.record, field) for outcome in outcomes(path)]


def test_a_table_of_usual_types(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "t.parquet",
        {
            "song_id": [1, 2], "title": ["One", None], "comment": [[1], []], "year": [1994, None],
            "world/life": [0.25, None], "bpm": pa.array([120, None], pa.uint8()), "lyrics": ["la\nla", ""],
        },
    )  # fmt: skip
    first, second = (outcome.record for outcome in outcomes(path))
    assert first is not None
    assert second is not None
    assert (first.song_id, first.title, first.year, first.lyrics) == ("1", "One", 1994, "la\nla")
    assert first.labels == {"world_life": 0.25, "bpm": 120.0}
    assert (second.song_id, second.title, second.year, second.lyrics) == ("2", None, None, None)
    assert second.labels == {}


YEARS: dict[str, Any] = {
    "int16": pa.array([1994], pa.int16()),
    "float16": pa.array(np.array([1994], np.float16)),
    "double": pa.array([1994.0]),
    "text": pa.array(["1994"]),
    "large text": pa.array(["1994"], pa.large_string()),
    "binary": pa.array([b"1994"]),
    "dictionary": pa.array(["1994"]).dictionary_encode(),
    "date32": pa.array([date(1994, 5, 1)]),
    "date64": pa.array([date(1994, 5, 1)], pa.date64()),
    "timestamp": pa.array([datetime(1994, 5, 1, 10)], pa.timestamp("us")),
    "timestamp ns": pa.array([768_000_000_123_456_789], pa.timestamp("ns")),
    "timestamp zone": pa.array([datetime(1994, 5, 1, 10, tzinfo=UTC)], pa.timestamp("ms", "Asia/Tokyo")),
    "decimal": pa.array([Decimal("1994.00")]),
}


@pytest.mark.parametrize("column", YEARS.values(), ids=YEARS)
def test_a_year_of_every_type(tmp_path: Path, column: object) -> None:
    assert values(write_parquet(tmp_path / "t.parquet", {"song_id": ["a"], "year": column}), "year") == [1994]


def test_a_column_of_nothing_is_unknown(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "t.parquet", {"song_id": ["a"], "year": pa.nulls(1), "dating": pa.nulls(1)}
    )
    assert values(path, "year") == [None]


def test_the_index_that_pandas_writes_is_the_id(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"title": ["x", "y"], "__index_level_0__": [10, 20]})
    assert values(path, "song_id") == ["10", "20"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_text_that_is_not_utf8_spoils_its_own_row_only(tmp_path: Path, kind: Any) -> None:
    offsets = pa.py_buffer(np.array([0, 1, 2], np.int32))
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"a\xe9")])
    if pa.types.is_dictionary(kind):
        broken = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), broken)
    elif kind == pa.large_string():
        broken = broken.cast(pa.binary()).cast(pa.large_binary()).view(kind)
    path = write_parquet(tmp_path / "t.parquet", {"song_id": ["1", "2"], "title": broken})
    good, bad = outcomes(path)
    assert good.record is not None
    assert good.record.title == "a"
    assert [(reject.line, reject.value) for reject in bad.rejects] == [(2, "\\xe9")]


def test_bad_values_are_rejected_row_by_row(tmp_path: Path) -> None:
    broken = pa.Array.from_buffers(
        pa.string(), 4, [None, pa.py_buffer(np.array([0, 1, 2, 3, 4], np.int32)), pa.py_buffer(b"a\xe9c\0")]
    )
    path = write_parquet(
        tmp_path / "t.parquet",
        {
            "song_id": ["a", "b", "c", "d"], "title": broken, "year": [1994.0, 1994.5, float("nan"), 3000.0],
            "dating": [0.5, 1.5, float("nan"), float("inf")], "genre": [True, None, None, None],
        },
    )  # fmt: skip
    rejects = [[(r.line, r.field, r.value) for r in outcome.rejects] for outcome in outcomes(path)]
    assert rejects == [
        [(1, "genre", "True")],
        [(2, "title", "\\xe9"), (2, "year", "1994.5"), (2, "dating", "1.5")],
        [(3, "year", "nan"), (3, "dating", "nan")],
        [(4, "title", "\\x00"), (4, "year", "3000.0"), (4, "dating", "inf")],
    ]


def test_rows_are_counted_across_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_file, "BATCH", 7)
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"song_id": list(range(100))}), path, row_group_size=30)
    assert values(path, "song_id") == [str(i) for i in range(100)]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([["a"]]), pa.array([{"a": 1}]), pa.array([1], pa.duration("s")), pa.array([1], pa.time32("s")),
        pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
    ],
    ids=lambda column: str(column.type),
)  # fmt: skip
def test_a_used_column_that_holds_no_cells_is_one_clear_error(tmp_path: Path, column: object) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"song_id": ["a"], "lyrics": column})
    with pytest.raises(
        TableError, match=r"column 'lyrics' of t\.parquet holds .*; expected text, numbers or dates"
    ):
        read_parquet(path, LABELS)


def test_missing_columns_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no column 'song_id'"):
        read_parquet(write_parquet(tmp_path / "t.parquet", {"words": ["a"]}), LABELS)


def test_a_file_that_is_no_parquet_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    for data in (b"", b"song_id,title\n", b"PAR1" + bytes(100) + b"PAR1"):
        path.write_bytes(data)
        with pytest.raises(TableError, match=r"t\.parquet cannot be read as Parquet"):
            read_parquet(path, LABELS)
    with pytest.raises(TableError, match=r"gone\.parquet cannot be read as Parquet"):
        read_parquet(tmp_path / "gone.parquet", LABELS)


def test_a_page_damaged_in_the_middle_is_found_before_anything_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table({"song_id": [f"{i * 7919 % 10007}" for i in range(5000)]})
    parquet.write_table(table, path, row_group_size=1000, compression="zstd")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    with pytest.raises(TableError, match=r"t\.parquet cannot be read as Parquet"):
        read_parquet(path, LABELS)
