import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TableError
from engine.vocabulary import DEFAULT_LABELS
from indexer.ingest import csv_file
from indexer.ingest.csv_file import read_csv
from indexer.ingest.row import TableRow
from tests.indexer.ingest.tables import write_csv


def rows(path: Path) -> list[TableRow]:
    table = read_csv(path, DEFAULT_LABELS)
    found = list(table.rows())
    assert table.total == len(found)
    return found


def test_rows_come_with_their_first_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'song_id,lyrics\r\na,"one\r\ntwo"\r\n\r\nb,"say ""hi"""\r\nc,\r\n')
    assert rows(path) == [
        TableRow(2, ["a", "one\r\ntwo"]),
        TableRow(5, ["b", 'say "hi"']),
        TableRow(6, ["c", ""]),
    ]


def test_rows_can_be_read_again(tmp_path: Path) -> None:
    table = read_csv(write_csv(tmp_path / "t.csv", ["song_id"], ["a"], ["b"]), DEFAULT_LABELS)
    assert [row.cells for row in table.rows()] == [row.cells for row in table.rows()] == [["a"], ["b"]]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"))


@given(st.lists(st.tuples(CELLS.filter(bool), CELLS), max_size=5))
def test_what_pythons_csv_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    path = write_csv(tmp_path_factory.mktemp("csv") / "t.csv", ["song_id", "lyrics"], *cells)
    assert [tuple(row.cells) for row in rows(path)] == cells


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_a_table_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(b"song_id,title\n" + data)
    try:
        found = rows(path)
    except TableError as error:
        assert "t.csv" in str(error)
    else:
        assert all(row.problem is not None or len(row.cells) == 2 for row in found)


@pytest.mark.parametrize(("name", "data"), [
    ("t.csv", "\ufeffsong_id,title\na,b\n"), ("t.csv", "song_id;title\na;b\n"), ("t.csv", "song_id\ttitle\na\tb\n"),
    ("t.tsv", "song_id\ttitle\na\tb\n"), ("t.tsv", "song_id,title\na,b\n"), ("t.csv", "\n\nsong_id,title\ra,b\r"),
    ("T.CSV", "song_id,title\na,b"),
])  # fmt: skip
def test_marks_delimiters_and_line_ends(tmp_path: Path, name: str, data: str) -> None:
    path = tmp_path / name
    path.write_text(data, encoding="utf-8", newline="")
    assert [row.cells for row in rows(path)] == [["a", "b"]]


def test_commas_in_a_semicolon_table_are_text(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("song_id;title\n1;One, Two, Three\n")
    assert [row.cells for row in rows(path)] == [["1", "One, Two, Three"]]


@pytest.mark.parametrize("name", ["t.csv.gz", "t.tsv.gz", "T.CSV.GZ"])
def test_gzipped_tables(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("song_id\ttitle\na\tb\n" if "tsv" in name else "song_id,title\na,b\n")
    assert [row.cells for row in rows(path)] == [["a", "b"]]


def test_bytes_that_are_not_utf8_spoil_their_own_cell_only(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"song_id,title\na,caf\xe9\nb,caf\xc3\xa9\n")
    assert [row.cells for row in rows(path)] == [["a", "caf\udce9"], ["b", "café"]]


def test_rows_of_another_width_say_so(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('song_id,title\na\nb,c,d\ne,"f" g\nh,i\n')
    problems = [(row.line, row.problem) for row in rows(path)]
    assert problems[:2] == [(n, "the header has 2 columns; check delimiters and quotes") for n in (2, 3)]
    assert problems[2][0] == 4
    assert "is not valid CSV" in (problems[2][1] or "")
    assert problems[3] == (5, None)


def test_a_cell_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", ["song_id", "lyrics"], ["a", "x" * 10_000_000], ["b", "y"])
    assert [len(row.cells[1]) for row in rows(path) if isinstance(row.cells[1], str)] == [10_000_000, 1]


def test_reading_leaves_the_limit_of_the_csv_module_stated(tmp_path: Path) -> None:
    rows(write_csv(tmp_path / "t.csv", ["song_id"], ["a"]))
    assert csv.field_size_limit() == csv_file.MAX_LINE


REFUSED = {
    "empty": (b"", "is empty"),
    "blank": (b"\n\n\n", "is empty"),
    "only a mark": (b"\xef\xbb\xbf", "is empty"),
    "utf-16": ("song_id,title\n".encode("utf-16"), "not UTF-8"),
    "utf-16 without mark": ("song_id,title\n".encode("utf-16-le"), "not UTF-8"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 10, "not UTF-8|no column"),
    "latin-1 header": (b"song_id,titr\xe9\na,b\n", "not UTF-8"),
    "no needed column": (b"name,words\na,b\n", "no column 'song_id'"),
    "open quote": (
        b'song_id,title\na,b\nc,"d\ne,f\n',
        "t.csv, line 3: a quoted cell begins there and never ends",
    ),
    "open quote in header": (b'song_id,"title\n', "header of t.csv cannot be read"),
}


@pytest.mark.parametrize(("data", "words"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_no_table_is_one_clear_error(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(TableError, match=words):
        read_csv(path, DEFAULT_LABELS)


def test_a_header_alone_is_a_table_of_no_rows(tmp_path: Path) -> None:
    assert rows(write_csv(tmp_path / "t.csv", ["song_id"])) == []


@pytest.mark.parametrize("where", ["line", "cell"])
def test_lines_and_cells_without_end_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(csv_file, "MAX_LINE", 1000)
    path = tmp_path / "t.csv"
    path.write_text("song_id,lyrics\na,b\nc," + ("x" * 2000 if where == "line" else '"' + "x\n" * 2000 + '"'))
    with pytest.raises(TableError, match=r"line 3.* more than 1,000 characters"):
        read_csv(path, DEFAULT_LABELS)


def test_a_small_file_of_much_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "MAX_LINE", 100_000)
    path = tmp_path / "t.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"song_id,title\n" + bytes(10_000_000))
    assert path.stat().st_size < 20_000
    with pytest.raises(TableError, match=r"line 2 of t\.csv\.gz has more than 100,000 characters"):
        read_csv(path, DEFAULT_LABELS)


def test_damaged_gzip_files_are_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    whole = gzip.compress(b"song_id,title\n" + b"".join(b"%d,title %d\n" % (i, i * i) for i in range(2000)))
    for damaged in (whole[: len(whole) // 2], whole[:300] + b"\xff" * 40 + whole[340:], b"song_id\na\n"):
        path.write_bytes(damaged)
        with pytest.raises(TableError, match=r"t\.csv\.gz (is a damaged gzip file|cannot be read)"):
            read_csv(path, DEFAULT_LABELS)


def test_a_file_that_cannot_be_opened_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"gone\.csv cannot be read: No such file"):
        read_csv(tmp_path / "gone.csv", DEFAULT_LABELS)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(TableError, match="Is a directory"):
        read_csv(tmp_path / "folder.csv", DEFAULT_LABELS)
