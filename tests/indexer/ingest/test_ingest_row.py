from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.vocabulary import Label, LabelSchema
from indexer.catalog.database import storable
from indexer.ingest.columns import NAMES, Columns, find_columns
from indexer.ingest.row import Outcome, RowParser, TableRow, derived_id, path_id
from tests.indexer.ingest.tables import write_wav

LABELS = LabelSchema((Label.named("dating"), Label.named("bpm", 0, 300)))
HEADER = [*NAMES, "dating", "bpm", "comment"]
FOLDER = Path(__file__).parent
GOOD = {"song_id": "a1", "title": "One", "artist": "Two", "year": "1994", "dating": "0.5", "lyrics": "la la"}


def columns(header: list[str]) -> Columns:
    return find_columns("songs.csv", header, LABELS)


def parse(folder: Path = FOLDER, header: list[str] | None = None, /, **cells: object) -> Outcome:
    header = header or HEADER
    parser = RowParser(columns(header), folder, "songs.csv", "/music/songs.csv")
    return parser.parse(TableRow(5, [cells.get(name, "") for name in header]))


def reasons(outcome: Outcome) -> list[tuple[str, str]]:
    assert outcome.record is None
    assert all((reject.location, reject.line) == ("songs.csv", 5) for reject in outcome.rejects)
    return [(reject.field, reject.reason) for reject in outcome.rejects]


CELLS = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(
    [
        "",
        "1994",
        "0.5",
        "../x",
        "/etc/passwd",
        "tables.py",
        ".",
        "x" * 300,
        "nan",
        "~",
        "\\\\host\\x",
        "C:\\x",
        "a" * 5000,
    ]
)


@given(st.lists(CELLS, min_size=len(HEADER), max_size=len(HEADER)), st.booleans())
def test_any_text_in_any_cell_gives_a_song_or_reasons(cells: list[str], has_id: bool) -> None:
    header = HEADER if has_id else ["ignored", *HEADER[1:]]
    outcome = RowParser(columns(header), FOLDER, "songs.csv", "s").parse(TableRow(2, cells))
    assert (outcome.record is None) == bool(outcome.rejects)
    for reject in outcome.rejects:
        assert reject.field in header
        assert reject.reason
        assert storable(reject.value)
    if outcome.record is not None:
        assert 0 < len(outcome.record.song_id) <= 200
        assert all(storable(text) for text in (outcome.record.song_id, outcome.record.title or ""))
        assert all(label in ("dating", "bpm") for label in outcome.record.labels)


def test_a_good_row_is_a_song() -> None:
    outcome = parse(album="Three", genre="Hip-Hop", bpm="120", comment="ignored \0 \udcff", **GOOD)
    record = outcome.record
    assert outcome.rejects == ()
    assert record is not None
    assert (record.song_id, record.title, record.artist, record.album) == ("a1", "One", "Two", "Three")
    assert (record.genre, record.year, record.lyrics) == ("hip hop", 1994, "la la")
    assert (record.labels, record.audio_path) == ({"dating": 0.5, "bpm": 120.0}, None)
    assert (record.source, record.key) == ("/music/songs.csv", None)


def test_an_empty_label_is_unknown_and_zero_is_not() -> None:
    record = parse(song_id="x", dating="0", bpm=" ").record
    assert record is not None
    assert record.labels == {"dating": 0.0}


def test_every_reason_of_a_row_is_given_with_field_and_value() -> None:
    outcome = parse(song_id="", title="a\0b", year="soon", dating="7", bpm="nan", lyrics="x" * 100_001)
    assert [(reject.field, reject.value) for reject in outcome.rejects] == [
        ("title", "a\\x00b"), ("song_id", ""), ("year", "soon"),
        ("lyrics", "x" * 176 + "... (100,001 characters)"), ("dating", "7"), ("bpm", "nan"),
    ]  # fmt: skip
    assert dict(reasons(outcome))["dating"] == "is outside the label's range [0, 1]"


def test_a_row_whose_cells_cannot_be_told_apart_has_one_reason() -> None:
    parser = RowParser(columns(["song_id", "year"]), FOLDER, "songs.csv", "s")
    outcome = parser.parse(TableRow(5, ["a", "b", "c"], "the header has 2 columns"))
    assert reasons(outcome) == [("row", "the header has 2 columns")]
    assert outcome.rejects[0].value == "3 cells"


def test_an_id_is_derived_of_artist_and_title() -> None:
    header = ["artist", "title", "album", "year"]
    same = [
        parse(FOLDER, header, artist="Björk", title="Army of Me", year="1995"),
        parse(FOLDER, header, artist=" BJO\u0308RK", title="army  of me", album="Post"),
    ]
    ids = {outcome.record.song_id for outcome in same if outcome.record}
    assert ids == {derived_id("björk", "army of me")}
    assert derived_id("a", "b c") != derived_id("a b", "c")


@pytest.mark.parametrize(("cells", "fields"), [({"artist": "x"}, ["title"]), ({}, ["artist", "title"])])
def test_without_an_id_artist_and_title_are_needed(cells: dict[str, str], fields: list[str]) -> None:
    outcome = parse(FOLDER, ["artist", "title"], **cells)
    assert [field for field, _ in reasons(outcome)] == fields
    assert all("without a song_id" in reason for _, reason in reasons(outcome))


def test_a_refused_title_is_not_called_empty_too() -> None:
    outcome = parse(FOLDER, ["artist", "title"], artist="x", title="\0")
    assert [reason for _, reason in reasons(outcome)] == ["contains a NUL byte; remove it"]


def test_derived_ids_never_change() -> None:
    # sha256 of "frankie laine\\ni believe", and of the path itself
    assert derived_id("Frankie Laine", "I Believe") == "song-8e203b9ef83e34b877662bf641f65615"
    assert path_id("albums/post/01 army of me.flac") == "file-5b3b36b0e926fe4f515fa9ffae3a532d"
    assert path_id("cafe\u0301.wav") == path_id("café.wav")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table's folder with files in it, beside files that belong to others."""
    inside = tmp_path / "music"
    write_wav(inside / "audio" / "a.wav")
    (inside / "empty.wav").touch()
    (inside / "words.txt").write_text("la la\n", encoding="utf-8-sig")
    (inside / "latin.txt").write_bytes(b"caf\xe9")
    (inside / "nul.txt").write_bytes(b"la\0la")
    (inside / "long.txt").write_text("x" * 100_001)
    (inside / "huge.txt").write_bytes(b"x" * 400_004)
    write_wav(tmp_path / "private" / "secret.wav")
    (tmp_path / "private" / "secret.txt").write_text("secret")
    (inside / "link.wav").symlink_to(tmp_path / "private" / "secret.wav")
    (inside / "link.txt").symlink_to(tmp_path / "private" / "secret.txt")
    (inside / "out").symlink_to(tmp_path / "private")
    (inside / "good link.wav").symlink_to(inside / "audio" / "a.wav")
    (inside / "dangling.wav").symlink_to(inside / "nowhere.wav")
    (inside / "circle.wav").symlink_to(inside / "circle.wav")
    return inside


ESCAPES = [
    ("/etc/hostname", "absolute path"), ("C:\\secret.wav", "absolute"), ("\\\\host\\share\\x.wav", "absolute"),
    ("../private/secret.wav", "leads out"), ("audio/../../private/secret.wav", "leads out"),
    ("link.wav", "a link that leads out"), ("link.txt", "a link that leads out"),
    ("out/secret.wav", "a link that leads out"), ("out/../audio/a.wav", "leads out"),
    ("..\\private\\secret.wav", "leads out"), ("missing.wav", "does not exist"), ("dangling.wav", "does not exist"),
    ("circle.wav", "cannot be opened"), ("audio", "not a regular file"), (".", "not a regular file"),
    ("x" * 5000, "cannot be opened"), ("empty.wav/x", "cannot be opened"), ("a\0", "NUL"), ("\udcff.wav", "UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "reason"), ESCAPES)
@pytest.mark.parametrize("field", ["audio_path", "lyrics_path"])
def test_no_path_leads_out_of_the_folder(folder: Path, field: str, path: str, reason: str) -> None:
    ((found, why),) = reasons(parse(folder, **GOOD | {"lyrics": "", field: path}))
    assert found == field
    assert reason in why


def test_an_absolute_path_into_the_folder_is_refused_too(folder: Path) -> None:
    assert "absolute" in reasons(parse(folder, song_id="x", audio_path=str(folder / "audio" / "a.wav")))[0][1]


@pytest.mark.parametrize(
    "path", ["audio/a.wav", "./audio/a.wav", "audio//a.wav", "good link.wav", " audio/a.wav "]
)
def test_a_file_in_the_folder_is_found(folder: Path, path: str) -> None:
    record = parse(folder, song_id="x", audio_path=path).record
    assert record is not None
    assert record.audio_path == str(folder / "audio" / "a.wav")


def test_a_folder_reached_by_a_link_is_as_good(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(folder)
    record = parse(tmp_path / "alias", song_id="x", audio_path="audio/a.wav").record
    assert record is not None
    assert record.audio_path == str(folder / "audio" / "a.wav")


def test_an_empty_audio_file_is_refused(folder: Path) -> None:
    assert reasons(parse(folder, song_id="x", audio_path="empty.wav")) == [("audio_path", "is an empty file")]


def test_lyrics_of_a_file_are_read(folder: Path) -> None:
    record = parse(folder, song_id="x", lyrics_path="words.txt").record
    assert record is not None
    assert record.lyrics == "la la"


def test_lyrics_of_the_cell_go_before_those_of_a_file(folder: Path) -> None:
    record = parse(folder, song_id="x", lyrics="from the cell", lyrics_path="missing.txt").record
    assert record is not None
    assert record.lyrics == "from the cell"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("latin.txt", "not a UTF-8 text file"), ("nul.txt", "NUL"), ("long.txt", "100,001 characters"),
        ("huge.txt", "more than 100,000 characters"),
    ],
)  # fmt: skip
def test_a_lyrics_file_that_cannot_be_used_is_refused(folder: Path, path: str, reason: str) -> None:
    ((field, why),) = reasons(parse(folder, song_id="x", lyrics_path=path))
    assert field == "lyrics_path"
    assert reason in why
