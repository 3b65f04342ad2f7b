"""Stage "features": each content is decoded once, and what cannot be decoded is in the ledger until it changes."""

import os
from pathlib import Path

import numpy as np
import pytest

from engine.audio import FEATURE_VERSION, AudioFeatures, extract_features
from engine.bundle_store import file_hash
from engine.errors import AudioError
from engine.vocabulary import AUDIO_FEATURES
from indexer.catalog import Catalog
from indexer.catalog.ledger import LedgerEntry
from indexer.jobs import features
from indexer.jobs.features import extract_features_stage
from indexer.jobs.progress import JobProgress
from tests.indexer.jobs.library import Library


class FakeDecoder:
    """Features that can be computed in the head: every value is the file's size; files that begin with "bad" fail."""

    def __init__(self) -> None:
        self.decoded: list[str] = []
        self.mended = False

    def __call__(self, path: Path) -> AudioFeatures:
        self.decoded.append(path.name)
        content = path.read_bytes()
        if content.startswith(b"bad") and not self.mended:
            raise AudioError(f"{path.name}: no sound in it")
        return AudioFeatures(np.full(len(AUDIO_FEATURES), float(len(content))), 1.0, ())


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> FakeDecoder:
    fake = FakeDecoder()
    monkeypatch.setattr(features, "extract_features", fake)
    return fake


@pytest.fixture
def sounds(tmp_path: Path, catalog: Catalog) -> Library:
    """Three songs: two with files that decode, one with a bad one."""
    library = Library(tmp_path / "sounds", songs=3)
    write(library, "s00", b"good")
    write(library, "s01", b"bad file")
    write(library, "s02", b"also good")
    library.import_into(catalog)
    return library


def write(library: Library, song_id: str, content: bytes) -> None:
    library.path_of(song_id).write_bytes(content)
    library.rows[song_id]["audio_path"] = f"{song_id}.wav"


def sizes(catalog: Catalog) -> dict[str, float]:
    """First feature of each song that has features: the fake's file size."""
    keys = {song.key: song_id for song_id, song in catalog.songs.by_ids(["s00", "s01", "s02"]).items()}
    found = catalog.features.of_songs(list(keys), FEATURE_VERSION)
    return {keys[key]: float(values[0]) for key, (_, values) in found.items()}


def ledger(catalog: Catalog) -> dict[str, LedgerEntry]:
    return {entry.song_id: entry for entry in catalog.ledger.list()}


def test_features_are_stored_and_failures_noted(
    catalog: Catalog, sounds: Library, decoder: FakeDecoder
) -> None:
    seen: list[JobProgress] = []
    assert extract_features_stage(catalog, report=seen.append) == 2
    assert sizes(catalog) == {"s00": 4.0, "s02": 9.0}
    entry = ledger(catalog)["s01"]
    assert (entry.stage, entry.reason, entry.attempts) == ("features", "s01.wav: no sound in it", 1)
    assert [(p.done, p.total) for p in seen] == [(3, 3)]


def test_a_bad_file_is_left_alone_until_it_changes(
    catalog: Catalog, sounds: Library, decoder: FakeDecoder
) -> None:
    extract_features_stage(catalog)
    decoder.decoded.clear()
    os.utime(sounds.path_of("s01"))  # touched, not changed
    assert extract_features_stage(catalog) == 0
    assert (decoder.decoded, ledger(catalog)["s01"].attempts) == ([], 1)
    write(sounds, "s01", b"bad in another way")
    extract_features_stage(catalog)
    assert (decoder.decoded, ledger(catalog)["s01"].attempts) == (["s01.wav"], 2)
    write(sounds, "s01", b"good now")
    assert extract_features_stage(catalog) == 1
    assert (ledger(catalog), sizes(catalog)["s01"]) == ({}, 8.0)


def test_retry_failed_tries_again_and_clears_what_works_now(
    catalog: Catalog, sounds: Library, decoder: FakeDecoder
) -> None:
    extract_features_stage(catalog)
    decoder.decoded.clear()
    assert extract_features_stage(catalog, retry_failed=True) == 0
    assert (decoder.decoded, ledger(catalog)["s01"].attempts) == (["s01.wav"], 2)
    decoder.mended = True
    assert extract_features_stage(catalog, retry_failed=True) == 1
    assert ledger(catalog) == {}


def test_a_new_feature_version_tries_everything_again(
    catalog: Catalog, sounds: Library, decoder: FakeDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract_features_stage(catalog)
    decoder.decoded.clear()
    monkeypatch.setattr(features, "FEATURE_VERSION", "next")
    assert extract_features_stage(catalog) == 2
    assert sorted(decoder.decoded) == ["s00.wav", "s01.wav", "s02.wav"]
    assert ledger(catalog)["s01"].code_version == "next"


def test_a_good_file_is_not_opened_again(
    catalog: Catalog, sounds: Library, decoder: FakeDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract_features_stage(catalog)
    hashed: list[str] = []

    def counted(path: Path) -> str:
        hashed.append(path.name)
        return file_hash(path)

    monkeypatch.setattr(features, "file_hash", counted)
    os.utime(sounds.path_of("s02"), ns=(1, 1))
    assert extract_features_stage(catalog) == 0
    assert sorted(hashed) == ["s01.wav", "s02.wav"]  # the bad one, and the one whose time is another
    hashed.clear()
    extract_features_stage(catalog)
    assert hashed == ["s01.wav"]


def test_a_missing_file_is_noted_and_may_come_back(
    catalog: Catalog, sounds: Library, decoder: FakeDecoder
) -> None:
    extract_features_stage(catalog)
    decoder.decoded.clear()
    path = sounds.path_of("s00")
    path.rename(path.with_suffix(".away"))
    extract_features_stage(catalog)
    extract_features_stage(catalog)
    entry = ledger(catalog)["s00"]
    assert entry.reason == (
        "audio file s00.wav cannot be read: No such file or directory; put it back or import the song again"
    )
    assert (entry.attempts, "s00" in sizes(catalog)) == (1, False)
    path.with_suffix(".away").rename(path)
    assert extract_features_stage(catalog) == 0
    assert (decoder.decoded, sizes(catalog)["s00"], set(ledger(catalog))) == ([], 4.0, {"s01"})


def test_a_song_that_brings_a_known_bad_content_is_noted_too(
    catalog: Catalog, sounds: Library, decoder: FakeDecoder
) -> None:
    extract_features_stage(catalog)
    write(sounds, "s02", b"bad file")
    extract_features_stage(catalog)
    assert {song_id: entry.attempts for song_id, entry in ledger(catalog).items()} == {"s01": 1, "s02": 1}


def test_a_song_whose_audio_is_taken_away_leaves_the_ledger(
    catalog: Catalog, sounds: Library, decoder: FakeDecoder
) -> None:
    extract_features_stage(catalog)
    del sounds.rows["s01"]["audio_path"]
    sounds.import_into(catalog)
    extract_features_stage(catalog)
    assert ledger(catalog) == {}


def test_equal_contents_are_decoded_once_in_one_batch_or_two(
    catalog: Catalog, sounds: Library, decoder: FakeDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(sounds, "s02", b"good")
    write(sounds, "s01", b"good")
    monkeypatch.setattr(features, "_BATCH", 2)
    assert extract_features_stage(catalog) == 1
    assert len(decoder.decoded) == 1
    assert sizes(catalog) == {"s00": 4.0, "s01": 4.0, "s02": 4.0}


def test_two_workers_compute_what_one_does(tmp_path: Path, catalog: Catalog) -> None:
    library = Library(tmp_path / "tones", songs=2)
    library.set_tone("s00", 220.0)
    write(library, "s01", b"no sound at all")
    library.import_into(catalog)
    expected = extract_features(library.path_of("s00")).values
    with pytest.raises(AudioError) as refused:
        extract_features(library.path_of("s01"))
    assert extract_features_stage(catalog, workers=2) == 1
    keys = {song_id: song.key for song_id, song in catalog.songs.by_ids(list(library.rows)).items()}
    stored = catalog.features.of_songs(list(keys.values()), FEATURE_VERSION)
    assert set(stored) == {keys["s00"]}
    np.testing.assert_allclose(stored[keys["s00"]][1], expected, rtol=1e-9)
    assert {song_id: entry.reason for song_id, entry in ledger(catalog).items()} == {
        "s01": str(refused.value)
    }
