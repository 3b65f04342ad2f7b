import pytest

from engine.errors import TableError
from engine.vocabulary import DEFAULT_LABELS, Label, LabelSchema
from indexer.ingest.columns import find_columns, labels_to_take

PUBLIC = [
    "", "artist_name", "track_name", "release_date", "genre", "lyrics", "len",
    "dating", "violence", "world/life", "night/time", "shake the audience", "family/gospel", "romantic",
    "communication", "obscene", "music", "movement/places", "light/visual perceptions", "family/spiritual",
    "like/girls", "sadness", "feelings", "danceability", "loudness", "acousticness", "instrumentalness",
    "valence", "energy", "topic", "age",
]  # fmt: skip


def test_the_public_data_set_is_understood_as_it_is() -> None:
    columns = find_columns("tcc_ceds_music.csv", PUBLIC, DEFAULT_LABELS)
    assert columns.fields == {"song_id": 0, "artist": 1, "title": 2, "year": 3, "genre": 4, "lyrics": 5}
    assert columns.label_schema == DEFAULT_LABELS
    assert columns.used == (*range(6), *range(7, 25))


def test_own_names_go_before_those_of_the_data_set() -> None:
    header = [
        "id",
        "track_name",
        "title",
        "artist_name",
        "artist",
        "release_date",
        "year",
        "source_row_id",
        "SONG_ID ",
    ]
    columns = find_columns("t.csv", header, DEFAULT_LABELS)
    assert columns.fields == {"song_id": 8, "title": 2, "artist": 4, "year": 6}
    assert columns.label_schema is None


@pytest.mark.parametrize(
    ("header", "place"),
    [
        (["Title", "ID"], 1), (["source_row_id"], 0), (["", "title"], 0), (["Unnamed: 0", "x"], 0),
        (["x", "__index_level_0__"], 1),
    ],
)  # fmt: skip
def test_where_the_id_is_found(header: list[str], place: int) -> None:
    assert find_columns("t", header, DEFAULT_LABELS).fields["song_id"] == place


def test_labels_are_found_by_name_or_slug_in_schema_order() -> None:
    header = ["loudness", "World/Life", "song_id", "night_time", "bpm"]
    own = labels_to_take(LabelSchema((Label.named("bpm", 0, 300),)))
    columns = find_columns("t.csv", header, own)
    assert [(label.slug, place) for label, place in columns.labels] == [
        ("world_life", 1), ("night_time", 3), ("loudness", 0), ("bpm", 4),
    ]  # fmt: skip


def test_an_own_label_takes_the_place_of_a_default_one() -> None:
    own = labels_to_take(LabelSchema((Label.named("loudness", -60, 0), Label.named("energy"))))
    assert own.slugs == (*DEFAULT_LABELS.slugs, "energy")
    assert own.labels[17].minimum == -60
    assert labels_to_take(None) == DEFAULT_LABELS
    held = LabelSchema((Label.named("bpm", 40, 220),))
    assert labels_to_take(None, held).labels == (*DEFAULT_LABELS, *held)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (["title", "lyrics"], "songs.csv has no column 'song_id', .* needs 'artist' too; its columns are title, ly"),
        (["name", "x", ""], "needs 'artist' and 'title' too; its columns are name, x, \\(unnamed\\)"),
        (["song_id", "title", " Title"], "2 columns called 'title'"),
        (["song_id", "sadness", "SADNESS"], "2 columns called 'sadness'"),
        ([f"c{i}" for i in range(50)], "c29, \\.\\.\\.$"),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_used_is_one_clear_error(header: list[str], words: str) -> None:
    with pytest.raises(TableError, match=words):
        find_columns("songs.csv", header, DEFAULT_LABELS)


def test_a_column_that_is_not_used_may_be_there_twice() -> None:
    assert find_columns("t", ["song_id", "x", "x"], DEFAULT_LABELS).used == (0,)
