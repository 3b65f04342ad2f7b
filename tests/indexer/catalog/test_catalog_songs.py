from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from engine.errors import InputError
from engine.vocabulary import DEFAULT_LABELS, Label, LabelSchema
from indexer.catalog import Catalog
from indexer.catalog.database import reading, writing
from indexer.catalog.records import SongRecord, SongSummary, UpsertCounts, fold_text, text_hash

SONG = SongRecord(
    song_id="a1", title="Hyperballad", artist="Björk", album="Post", genre="pop", year=1995, lyrics="we live on",
    labels={"dating": 0.1, "energy": 0.7}, audio_path="/music/hyperballad.flac", source="/music/songs.csv",
)  # fmt: skip


def stored(catalog: Catalog) -> list[SongRecord]:
    return [song for batch in catalog.songs.stream(3) for song in batch]


def songs(*song_ids: str) -> list[SongRecord]:
    return [SongRecord(song_id=song_id) for song_id in song_ids]


def test_a_song_comes_back_as_it_went_in(catalog: Catalog) -> None:
    assert catalog.songs.upsert([SONG, SongRecord(song_id="bare")]) == UpsertCounts(added=2)
    found = catalog.songs.get("a1")
    assert found == replace(SONG, key=found.key if found else None)
    assert catalog.songs.get("bare") == SongRecord(song_id="bare", key=stored(catalog)[1].key)
    assert catalog.songs.get("unknown") is None


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Hyper-ballad"}, {"artist": None}, {"album": "Telegram"}, {"genre": "jazz"}, {"year": None},
        {"lyrics": "other words"}, {"lyrics": None}, {"labels": {"dating": 0.1}}, {"labels": {}},
        {"audio_path": None},
    ],
    ids=str,
)  # fmt: skip
def test_every_change_updates_the_song_and_keeps_its_key(catalog: Catalog, change: dict[str, object]) -> None:
    catalog.songs.upsert([SONG, *songs("other")])
    key = stored(catalog)[0].key
    changed = replace(SONG, **change)  # type: ignore[arg-type]  # the parameters are of several types
    assert catalog.songs.upsert([changed, *songs("other")]) == UpsertCounts(updated=1, unchanged=1)
    assert stored(catalog)[0] == replace(changed, key=key)
    assert catalog.songs.upsert([changed, *songs("other")]) == UpsertCounts(unchanged=2)


def test_where_a_song_came_from_is_no_change(catalog: Catalog) -> None:
    catalog.songs.upsert([SONG])
    assert catalog.songs.upsert([replace(SONG, source="/elsewhere.csv")]) == UpsertCounts(unchanged=1)


def test_lyrics_that_are_gone_are_removed(catalog: Catalog) -> None:
    catalog.songs.upsert([SONG])
    catalog.songs.upsert([replace(SONG, lyrics=None)])
    with reading(catalog.database) as connection:
        assert connection.execute(text("SELECT count(*) FROM lyrics")).scalar_one() == 0


def test_a_changed_audio_path_forgets_what_the_file_looked_like(catalog: Catalog) -> None:
    catalog.songs.upsert([SONG])
    key = stored(catalog)[0].key or 0
    catalog.features.remember_file(key, "hash", 1, 2)
    catalog.songs.upsert([replace(SONG, title="Same file")])
    assert catalog.features.file_of(key) is not None
    catalog.songs.upsert([replace(SONG, audio_path="/music/other.flac")])
    assert catalog.features.file_of(key) is None


def test_two_songs_of_one_id_in_a_batch_store_nothing(catalog: Catalog) -> None:
    with pytest.raises(InputError, match="same song_id"):
        catalog.songs.upsert(songs("x", "y", "x"))
    assert catalog.songs.count() == 0


def test_an_empty_batch_changes_nothing(catalog: Catalog) -> None:
    assert catalog.songs.upsert([]) == UpsertCounts()


def test_keys_follow_the_order_of_import_and_are_never_given_twice(catalog: Catalog) -> None:
    names = [f"s{i * 7 % 1201}" for i in range(1201)]  # more than two IN lists, in no alphabetical order
    catalog.songs.upsert(songs(*names))
    assert [song.song_id for song in stored(catalog)] == names
    highest = max(song.key or 0 for song in stored(catalog))
    with writing(catalog.database) as connection:
        connection.execute(text("DELETE FROM songs"))
    catalog.songs.upsert(songs("new"))
    assert (stored(catalog)[0].key or 0) > highest


CELLS = st.none() | st.sampled_from(["a", "Ä b", "'quoted' %_\\", "\u2028\t"])
RECORDS = st.builds(
    SongRecord,
    song_id=st.sampled_from("abcdefgh"),
    title=CELLS,
    lyrics=CELLS,
    genre=CELLS,
    year=st.none() | st.integers(1000, 2100),
    labels=st.dictionaries(st.sampled_from(["dating", "energy"]), st.floats(0, 1), max_size=2),
)
BATCHES = st.lists(st.lists(RECORDS, max_size=5, unique_by=lambda record: record.song_id), max_size=5)


def expected_counts(known: dict[str, SongRecord], batch: Sequence[SongRecord]) -> UpsertCounts:
    new = sum(record.song_id not in known for record in batch)
    same = sum(known.get(record.song_id) == record for record in batch)
    return UpsertCounts(new, len(batch) - new - same, same)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # the fixture's tables are emptied for each example
@given(batches=BATCHES)
def test_batches_leave_what_a_dictionary_would_hold(
    catalog: Catalog, batches: list[list[SongRecord]]
) -> None:
    with writing(catalog.database) as connection:
        connection.execute(text("DELETE FROM songs"))
    known: dict[str, SongRecord] = {}
    for batch in batches:
        assert catalog.songs.upsert(batch) == expected_counts(known, batch)
        known.update((record.song_id, record) for record in batch)
    assert [replace(song, key=None) for song in stored(catalog)] == list(known.values())


def test_row_hash_tells_fields_apart() -> None:
    records = [
        SongRecord(song_id="x", title="a"),
        SongRecord(song_id="x", artist="a"),
        SongRecord(song_id="x", title="a", artist="b"),
        SongRecord(song_id="x", title='a","b'),
        SongRecord(song_id="x", labels={"a": 1.0}),
        SongRecord(song_id="x", labels={"a": 1.0000000001}),
    ]
    assert len({record.row_hash for record in records}) == len(records)
    assert SongRecord(song_id="x", labels={"a": 1.0, "b": 2.0}).row_hash == (
        SongRecord(song_id="y", labels={"b": 2.0, "a": 1.0}).row_hash
    )


def test_text_hash_is_sha256() -> None:
    assert text_hash("abc").startswith("ba7816bf8f01cfea414140de5dae2223")  # FIPS 180-2, appendix B.1


def test_summaries_by_id_and_by_key(catalog: Catalog) -> None:
    catalog.songs.upsert([SONG, *songs(*(f"s{i}" for i in range(1100)))])
    key = stored(catalog)[0].key or 0
    summary = SongSummary(key, "a1", "Hyperballad", "Björk", "Post", "pop", 1995)
    assert catalog.songs.by_ids(["a1", "unknown", "nul\0", "half \ud800"]) == {"a1": summary}
    assert catalog.songs.by_keys([key, 10**15]) == {key: summary}
    everything = catalog.songs.by_keys(list(np.arange(key, key + 1101)))
    assert len(everything) == 1101
    assert everything.keys() == {song.key for song in stored(catalog)}


FOUND = {
    "1": ("Hyperballad", "Björk"),
    "2": ("100% Love_d", "ABBA"),
    "3": ("Ballad of the  Straße", "back\\slash"),
    "4": (None, "Only Artist"),
    "5": ("Only Title", None),
    "6": ("", None),
}


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ("bjork", ["1"]), ("BJÖRK", ["1"]), ("ballad", ["3", "1"]), ("STRASSE", ["3"]), ("of the straße", ["3"]),
        ("%", ["2"]), ("_d", ["2"]), ("e_d", ["2"]), ("k\\s", ["3"]), ("only", ["4", "5"]), ("nothing", []),
        ("nul\0", []), ("\ud800", []), ("x" * 60_000, []), ("  only   artist ", ["4"]), ("d\nb", []),
        ("", ["6", "4", "2", "3", "1", "5"]),
    ],
)  # fmt: skip
def test_find_by_part_of_title_or_artist(catalog: Catalog, wanted: str, ids: list[str]) -> None:
    catalog.songs.upsert([SongRecord(song_id=key, title=t, artist=a) for key, (t, a) in FOUND.items()])
    assert [song.song_id for song in catalog.songs.find(wanted)] == ids
    assert [song.song_id for song in catalog.songs.find(wanted, limit=2, offset=1)] == ids[1:3]


@given(st.text())
def test_folding_is_stable(value: str) -> None:
    folded = fold_text(value)
    assert fold_text(value.upper()) == fold_text(value.upper().lower().upper())
    assert folded == folded.strip()
    assert "\n" not in folded


def test_stats_count_what_is_there(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.catalog.stats._BATCH", 1)
    empty = catalog.songs.stats()
    assert (empty["songs"], empty["year_min"], empty["genres"], empty["labels"]) == (0, None, {}, {})
    catalog.songs.register_labels(LabelSchema((*DEFAULT_LABELS, Label.named("energy"))))
    catalog.songs.upsert([SONG, SongRecord(song_id="2", genre="jazz", year=1960, labels={"dating": 1.0})])
    catalog.songs.upsert([SongRecord(song_id="3", genre="jazz", lyrics="words"), SongRecord(song_id="4")])
    catalog.features.remember_file(stored(catalog)[0].key or 0, "content", 1, 1)
    catalog.features.put("content", "v1", np.zeros(22), 1.0)
    stats = catalog.songs.stats()
    labels = stats.pop("labels")
    assert stats == {
        "songs": 4, "with_title": 1, "with_artist": 1, "with_lyrics": 2, "with_audio": 1, "with_features": 1,
        "with_genre": 3, "with_year": 2, "with_labels": 2, "year_min": 1960, "year_max": 1995,
        "genres": {"jazz": 2, "pop": 1},
    }  # fmt: skip
    assert list(stats["genres"]) == ["jazz", "pop"]
    assert tuple(labels) == (*DEFAULT_LABELS.slugs, "energy")
    assert {slug: number for slug, number in labels.items() if number} == {"dating": 2, "energy": 1}


def test_labels_keep_the_order_of_first_import(catalog: Catalog) -> None:
    sad, energy, bpm, calm = (
        Label.named("sad"),
        Label.named("energy"),
        Label.named("bpm", 0, 300),
        Label.named("calm"),
    )
    assert catalog.songs.label_schema() is None
    catalog.songs.register_labels(LabelSchema((sad, energy)))
    catalog.songs.register_labels(LabelSchema((bpm, energy, calm)))
    catalog.songs.register_labels(LabelSchema((calm, bpm)))
    assert catalog.songs.label_schema() == LabelSchema((sad, energy, bpm, calm))


def test_a_label_of_another_range_is_refused_as_a_whole(catalog: Catalog) -> None:
    catalog.songs.register_labels(LabelSchema((Label.named("energy"),)))
    with pytest.raises(InputError, match=r"'energy' is known .* \[0, 1\], not \[0, 100\]"):
        catalog.songs.register_labels(
            LabelSchema((Label.named("bpm", 0, 300), Label.named("energy", 0, 100)))
        )
    assert catalog.songs.label_schema() == LabelSchema((Label.named("energy"),))


def test_a_song_becomes_a_song_of_the_engine() -> None:
    audio = np.arange(22.0)
    song = SONG.as_song(audio)
    assert song.modalities == ("lyrics", "audio", "genre", "year")
    assert (song.song_id, song.artist, song.labels) == ("a1", "Björk", {"dating": 0.1, "energy": 0.7})
    assert song.audio is audio


@pytest.mark.parametrize(
    "change",
    [
        {"song_id": "half \ud800"}, {"title": "nul\0"}, {"lyrics": "\0"}, {"audio_path": "/\udcff"},
        {"labels": {"energy": float("nan")}}, {"labels": {"energy": float("-inf")}}, {"labels": {"\0": 1.0}},
    ],
    ids=ascii,
)  # fmt: skip
def test_what_no_database_holds_is_refused_by_all(catalog: Catalog, change: dict[str, object]) -> None:
    bad = replace(SONG, **change)  # type: ignore[arg-type]  # the parameters are of several types
    with pytest.raises(InputError, match="song '"):
        catalog.songs.upsert([SongRecord(song_id="good"), bad])
    assert catalog.songs.count() == 0


def test_ids_that_cannot_exist_are_not_found(catalog: Catalog) -> None:
    assert catalog.songs.get("half \ud800") is None
    assert catalog.songs.get("nul\0") is None
