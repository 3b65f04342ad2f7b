from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, insert

from engine.errors import FilterError, InputError, UnknownSongError
from indexer.catalog.catalog import Catalog, open_catalog
from indexer.catalog.database import writing
from indexer.catalog.records import SongRecord
from indexer.catalog.schema import SongRow
from indexer.search.faiss_index import FaissIndex
from indexer.search.filters import Filter, Has, Range
from indexer.search.port import EVERY_SONG
from indexer.search.rows import in_song_id_order
from indexer.search.similar import find_similar
from tests.indexer.search.samples import LABELS, Sample, index_of, naive_search, random_samples, rows_of

SONGS = random_samples(80)
SEED = SONGS[5]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with open_catalog(f"sqlite:///{tmp_path / 'catalog.db'}") as opened:
        opened.songs.upsert(
            [
                SongRecord(
                    song.song_id, f"Title of {song.song_id}", song.artist, "Album", song.genre, song.year
                )
                for song in SONGS
            ]
        )
        yield opened


@pytest.fixture
def index(catalog: Catalog) -> FaissIndex:
    return indexed(catalog)


def indexed(catalog: Catalog) -> FaissIndex:
    """Index of `SONGS` under the keys that the catalogue gave them."""
    built = index_of(SONGS)
    keys = {
        song_id: summary.key for song_id, summary in catalog.songs.by_ids([s.song_id for s in SONGS]).items()
    }
    attributes, _ = in_song_id_order(rows_of(SONGS), LABELS)
    for row, song_id in enumerate(attributes.song_ids):
        attributes.keys[row] = keys[song_id]
    return FaissIndex(built.info, built._vectors, attributes)


def leave(catalog: Catalog, *song_ids: str) -> None:
    with writing(catalog.database) as connection:
        connection.execute(delete(SongRow).where(SongRow.song_id.in_(song_ids)))


def nearest(where: Filter = EVERY_SONG) -> list[str]:
    return [song_id for song_id, _ in naive_search(SONGS, SEED.vector, where, (SEED.song_id,))]


def test_an_answer_is_complete(catalog: Catalog, index: FaissIndex) -> None:
    where = Filter((Range("danceability", 0.3), Has("audio")))
    answer = find_similar(catalog, index, SEED.song_id, where, limit=3)
    expected = naive_search(SONGS, SEED.vector, where, (SEED.song_id,))
    assert (answer.model_id, answer.index_version, answer.where) == ("model-a", "in memory", where)
    assert (answer.seed.song_id, answer.seed.title) == (SEED.song_id, f"Title of {SEED.song_id}")
    assert set(answer.based_on) == set(SEED.coverage)
    assert answer.passing == len(expected)
    assert set(answer.dropped) == {"min_danceability=0.3", "has_audio=true"}
    assert [(n.song_id, n.similarity) for n in answer.neighbours] == [
        (i, (1 + c) / 2) for i, c in expected[:3]
    ]
    by_id = {song.song_id: song for song in SONGS}
    for neighbour in answer.neighbours:
        song = by_id[neighbour.song_id]
        assert (neighbour.title, neighbour.album) == (f"Title of {song.song_id}", "Album")
        assert (neighbour.artist, neighbour.genre, neighbour.year) == (song.artist, song.genre, song.year)
        assert neighbour.labels["danceability"] == pytest.approx(song.labels[0])
        assert set(neighbour.based_on) == set(song.coverage)


def test_the_seed_is_never_its_own_neighbour(catalog: Catalog, index: FaissIndex) -> None:
    answer = find_similar(catalog, index, SEED.song_id, limit=1000)
    assert [n.song_id for n in answer.neighbours] == nearest()
    assert answer.passing == len(SONGS) - 1


def test_pages_joined_are_one_list_though_songs_have_left(catalog: Catalog, index: FaissIndex) -> None:
    gone = [*nearest()[:4], *nearest()[10:13], nearest()[-1]]
    leave(catalog, *gone)
    stay = [song_id for song_id in nearest() if song_id not in gone]
    pages = [find_similar(catalog, index, SEED.song_id, limit=6, offset=at) for at in range(0, 90, 6)]
    assert [n.song_id for page in pages for n in page.neighbours] == stay
    assert pages[-1].passing == len(stay)


def test_as_many_songs_come_as_are_asked_for_though_most_have_left(
    catalog: Catalog, index: FaissIndex
) -> None:
    leave(catalog, *nearest()[:-5])
    answer = find_similar(catalog, index, SEED.song_id, limit=5)
    assert [n.song_id for n in answer.neighbours] == nearest()[-5:]
    assert answer.passing == 5
    assert len(find_similar(catalog, index, SEED.song_id, limit=3).neighbours) == 3


def test_a_key_that_became_another_songs_is_not_answered(catalog: Catalog, index: FaissIndex) -> None:
    last = max(SONGS, key=lambda song: catalog.songs.by_ids([song.song_id])[song.song_id].key)
    key = catalog.songs.by_ids([last.song_id])[last.song_id].key
    leave(catalog, last.song_id)
    with writing(catalog.database) as connection:
        stranger = {
            "title": "Stranger",
            "search_text": "",
            "row_hash": "",
            "source": "",
            "updated_at": datetime.now(UTC),
        }
        connection.execute(insert(SongRow).values(key=key, song_id="stranger", **stranger))
    assert last.song_id != SEED.song_id
    answer = find_similar(catalog, index, SEED.song_id, limit=1000)
    assert [n.song_id for n in answer.neighbours] == [
        song_id for song_id in nearest() if song_id != last.song_id
    ]


def test_a_title_changed_since_the_build_is_todays(catalog: Catalog, index: FaissIndex) -> None:
    first = nearest()[0]
    catalog.songs.upsert([SongRecord(first, "New title")])
    assert find_similar(catalog, index, SEED.song_id, limit=1).neighbours[0].title == "New title"


def test_an_unknown_song_says_which_way_it_is_unknown(catalog: Catalog, index: FaissIndex) -> None:
    with pytest.raises(UnknownSongError, match="'nobody' is not in the catalogue"):
        find_similar(catalog, index, "nobody")
    catalog.songs.upsert([SongRecord("late")])
    with pytest.raises(
        UnknownSongError, match=r"'late' is in the catalogue, but not in index in memory yet.*index build"
    ):
        find_similar(catalog, index, "late")
    leave(catalog, SEED.song_id)
    with pytest.raises(UnknownSongError, match="is not in the catalogue any more"):
        find_similar(catalog, index, SEED.song_id)


def test_a_filter_that_nobody_passes_is_an_ordinary_answer(catalog: Catalog, index: FaissIndex) -> None:
    where = Filter((Range("danceability", 7),))
    answer = find_similar(catalog, index, SEED.song_id, where)
    assert (answer.neighbours, answer.passing) == ([], 0)
    assert answer.dropped == {"min_danceability=7": len(SONGS) - 1}


@pytest.mark.parametrize(("limit", "offset"), [(-1, 5), (5, -1)])
def test_a_negative_page_is_refused(catalog: Catalog, index: FaissIndex, limit: int, offset: int) -> None:
    with pytest.raises(InputError, match="must not be negative"):
        find_similar(catalog, index, SEED.song_id, limit=limit, offset=offset)


def test_no_limit_at_all_still_counts(catalog: Catalog, index: FaissIndex) -> None:
    answer = find_similar(catalog, index, SEED.song_id, limit=0)
    assert (answer.neighbours, answer.passing) == ([], len(SONGS) - 1)


def test_a_label_of_another_catalogue_is_named(catalog: Catalog, index: FaissIndex) -> None:
    with pytest.raises(FilterError, match=r"^min_violence: "):
        find_similar(catalog, index, SEED.song_id, Filter((Range("violence", 0.1),)))


def test_songs_of_equal_vectors_stand_in_order_of_their_ids(catalog: Catalog) -> None:
    twins = [Sample(song.song_id, SEED.vector, song.labels) for song in SONGS]
    keys = {song_id: s.key for song_id, s in catalog.songs.by_ids([song.song_id for song in SONGS]).items()}
    built = index_of(twins)
    for row, song_id in enumerate(built.attributes.song_ids):
        built.attributes.keys[row] = keys[song_id]
    answer = find_similar(catalog, built, SEED.song_id, limit=30)
    assert [n.song_id for n in answer.neighbours] == sorted(set(keys) - {SEED.song_id})[:30]
    assert {n.similarity for n in answer.neighbours} == {1.0}
