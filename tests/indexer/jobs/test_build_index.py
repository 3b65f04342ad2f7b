"""``index build`` from the first run on: what is indexed, and what little a later run does."""

from collections.abc import Callable

import numpy as np
import pytest

from engine.audio import FEATURE_VERSION, extract_features
from engine.bundle_store import BundleStore, read_manifest
from engine.encoder import SongEncoder
from engine.errors import InputError, NothingPublishedError
from engine.song import Song
from indexer.catalog import Catalog
from indexer.jobs.build import BuildOutcome, build_index
from indexer.jobs.progress import JobProgress
from indexer.search.bundle import load_index
from indexer.search.faiss_index import FaissIndex
from indexer.search.filters import Filter
from tests.indexer.jobs.conftest import Calls
from tests.indexer.jobs.library import CORRUPT, EMPTY, LABELS, SONGS, TWIN, TWIN_OF, Library

Build = Callable[..., BuildOutcome]


def expected_song(library: Library, song_id: str) -> Song:
    """A song straight from its row and its file, by no way through SQL."""
    row = library.rows[song_id]
    audio = None
    if "audio_path" in row and song_id != CORRUPT:
        audio = extract_features(library.path_of(song_id)).values
    lyrics, genre, year = row.get("lyrics"), row.get("genre"), row.get("year")
    return Song(
        song_id,
        lyrics=lyrics if isinstance(lyrics, str) else None,
        genre=genre if isinstance(genre, str) else None,
        year=year if isinstance(year, int) else None,
        audio=audio,
    )


def check_index(index: FaissIndex, library: Library, encoder: SongEncoder) -> None:
    """Every vector, label and attribute is what the encoder says of that one song."""
    for song_id in sorted(set(library.rows) - {EMPTY}):
        song = expected_song(library, song_id)
        encoded = encoder.encode([song])
        vector, found = index.vector_of(song_id), index.attributes_of(song_id)
        assert vector is not None and found is not None, song_id
        np.testing.assert_allclose(vector, encoded.vectors[0], atol=1e-5, err_msg=song_id)
        labels = [found.labels[slug] for slug in encoder.schema.slugs]
        np.testing.assert_allclose(np.array(labels, dtype=float), encoded.labels[0], atol=1e-5)
        assert (found.coverage, found.genre, found.year) == (song.modalities, song.genre, song.year)


def test_every_song_is_indexed_as_the_encoder_sees_it(
    catalog: Catalog, library: Library, models: BundleStore, indexes: BundleStore, build: Build, calls: Calls
) -> None:
    library.with_audio().import_into(catalog)
    seen: list[JobProgress] = []
    outcome = build(report=seen.append)
    assert (outcome.state, outcome.songs, outcome.new_vectors) == ("published", SONGS - 1, SONGS - 1)
    assert (outcome.new_features, outcome.failed, outcome.recall) == (4, 2, 1.0)
    assert len(calls.extracted) == 5  # six files, of which two are alike
    assert set(calls.extracted) - {f"{TWIN}.wav", f"{TWIN_OF}.wav"} == {
        "s03.wav",
        "s06.wav",
        "s18.wav",
        "s24.wav",
    }
    index = load_index(indexes.current(), outcome.model_id)
    assert (index.info.version, index.info.songs, index.info.labels) == (outcome.version, SONGS - 1, LABELS)
    check_index(index, library, SongEncoder.load(models.current()))
    assert index.vector_of(EMPTY) is None
    assert list(dict.fromkeys(p.stage for p in seen)) == ["features", "embeddings", "read", "index", "verify"]
    assert [(p.done, p.total) for p in seen if p.stage == "embeddings"] == [(SONGS, SONGS)]
    latest = catalog.builds.latest()
    assert latest is not None
    assert (latest.state, latest.version, latest.model_id) == ("published", outcome.version, outcome.model_id)


def test_the_ledger_holds_the_corrupt_file_and_the_empty_song(
    catalog: Catalog, library: Library, build: Build
) -> None:
    library.with_audio().import_into(catalog)
    build()
    entries = {entry.song_id: entry for entry in catalog.ledger.list()}
    assert {song_id: entry.stage for song_id, entry in entries.items()} == {
        CORRUPT: "features",
        EMPTY: "embeddings",
    }
    assert f"{CORRUPT}.wav" in entries[CORRUPT].reason
    assert "nothing that this model reads" in entries[EMPTY].reason
    assert entries[CORRUPT].code_version == FEATURE_VERSION


def test_a_second_run_does_no_work(
    catalog: Catalog, library: Library, indexes: BundleStore, build: Build, calls: Calls
) -> None:
    library.with_audio().import_into(catalog)
    first = build()
    calls.clear()
    second = build()
    assert (calls.extracted, calls.loaded, calls.encoded) == ([], 0, [])
    assert (second.state, second.version, second.songs) == ("unchanged", first.version, first.songs)
    assert (second.new_features, second.new_vectors, second.failed) == (0, 0, first.failed)
    assert second.recall == first.recall
    assert indexes.names() == [first.version]
    assert [entry.attempts for entry in catalog.ledger.list()] == [1, 1]
    latest = catalog.builds.latest()
    assert latest is not None
    assert (latest.state, latest.version) == ("unchanged", first.version)


def test_a_changed_lyric_is_embedded_alone(
    catalog: Catalog, library: Library, models: BundleStore, indexes: BundleStore, build: Build, calls: Calls
) -> None:
    first = build()
    calls.clear()
    library.rows["s01"]["lyrics"] = "love love in the night"
    library.import_into(catalog)
    second = build()
    assert (second.state, second.new_vectors, calls.encoded) == ("published", 1, [1])
    assert second.version != first.version
    check_index(load_index(indexes.current()), library, SongEncoder.load(models.current()))


def test_a_changed_artist_is_indexed_without_embedding(
    catalog: Catalog, library: Library, indexes: BundleStore, build: Build, calls: Calls
) -> None:
    build()
    calls.clear()
    library.rows["s01"]["artist"] = "Somebody else"
    library.import_into(catalog)
    outcome = build()
    assert (outcome.state, outcome.new_vectors, calls.loaded) == ("published", 0, 0)
    index = load_index(indexes.current())
    assert index.count(Filter.from_parameters(LABELS, {"artist": "Somebody else"})) == 1


def test_a_changed_audio_file_is_computed_alone(
    catalog: Catalog, library: Library, models: BundleStore, indexes: BundleStore, build: Build, calls: Calls
) -> None:
    library.with_audio().import_into(catalog)
    build()
    calls.clear()
    library.set_tone("s06", 990.0)
    outcome = build()
    assert (outcome.new_features, outcome.new_vectors) == (1, 1)
    assert (calls.extracted, calls.encoded) == (["s06.wav"], [1])
    check_index(load_index(indexes.current()), library, SongEncoder.load(models.current()))


def test_songs_of_one_audio_content_share_its_features(
    catalog: Catalog, library: Library, build: Build
) -> None:
    library.with_audio().import_into(catalog)
    build()
    keys = {song_id: song.key for song_id, song in catalog.songs.by_ids([TWIN, TWIN_OF]).items()}
    found = catalog.features.of_songs(list(keys.values()), FEATURE_VERSION)
    assert found[keys[TWIN]][0] == found[keys[TWIN_OF]][0]
    alone = extract_features(library.path_of(TWIN)).values
    np.testing.assert_array_equal(found[keys[TWIN]][1], alone)


def test_a_song_with_nothing_left_leaves_the_index(
    catalog: Catalog, library: Library, indexes: BundleStore, build: Build
) -> None:
    build()
    full = library.rows["s01"]
    library.rows["s01"] = {"song_id": "s01", "title": "Nothing"}
    library.import_into(catalog)
    without = build()
    assert (without.songs, without.failed, without.new_vectors) == (SONGS - 2, 2, 0)
    assert load_index(indexes.current()).vector_of("s01") is None
    library.rows["s01"] = full
    library.import_into(catalog)
    again = build()
    assert (again.songs, again.failed, again.new_vectors) == (SONGS - 1, 1, 1)
    assert [entry.song_id for entry in catalog.ledger.list()] == [EMPTY]


def test_a_song_that_fails_in_two_stages_counts_once(
    catalog: Catalog, library: Library, build: Build
) -> None:
    library.path_of(EMPTY).write_bytes(b"no sound")
    library.rows[EMPTY]["audio_path"] = f"{EMPTY}.wav"
    library.import_into(catalog)
    assert build().failed == 1
    assert catalog.ledger.counts() == {"embeddings": 1, "features": 1}


def test_retried_and_repaired_songs_leave_the_ledger(
    catalog: Catalog, library: Library, build: Build
) -> None:
    assert build().failed == 1
    build(retry_failed=True)
    assert [(entry.song_id, entry.attempts) for entry in catalog.ledger.list()] == [(EMPTY, 2)]
    library.rows[EMPTY]["year"] = 1999
    library.import_into(catalog)
    outcome = build(retry_failed=True)
    assert (outcome.songs, outcome.failed) == (SONGS, 0)
    assert catalog.ledger.list() == []


def test_without_a_model_the_build_says_so(
    catalog: Catalog, models: BundleStore, indexes: BundleStore
) -> None:
    with pytest.raises(NothingPublishedError, match="no model bundle has been published"):
        build_index(catalog, models, indexes)
    assert catalog.builds.latest() is None


def test_an_empty_catalogue_is_refused_with_the_remedy(
    catalog: Catalog, indexes: BundleStore, build: Build, calls: Calls
) -> None:
    with pytest.raises(InputError, match="import songs"):
        build()
    latest = catalog.builds.latest()
    assert latest is not None
    assert latest.state == "failed"
    assert "import songs" in (latest.message or "")
    assert (indexes.names(), calls.loaded) == ([], 0)


def test_the_manifest_tells_what_the_index_was_made_from(
    library: Library, indexes: BundleStore, build: Build, model_id: str
) -> None:
    outcome = build()
    manifest = read_manifest(indexes.current())
    assert (manifest["model_id"], manifest["factory"], manifest["songs"]) == (model_id, "Flat", outcome.songs)
    assert len(manifest["source_hash"]) == 64
