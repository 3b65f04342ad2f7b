import numpy as np
import pytest

from engine.errors import StoreError
from engine.vocabulary import AUDIO_FEATURES
from indexer.catalog import Catalog
from indexer.catalog.features import AudioFile, AudioSong, StoredFeatures
from indexer.catalog.records import SongRecord

VALUES = np.linspace(-1e9, 1e-9, len(AUDIO_FEATURES))


def keys(catalog: Catalog, *audio_paths: str | None) -> list[int]:
    records = [SongRecord(song_id=f"s{i}", audio_path=path) for i, path in enumerate(audio_paths)]
    catalog.songs.upsert(records)
    return [song.key or 0 for batch in catalog.songs.stream() for song in batch]


def test_features_come_back_bit_for_bit(catalog: Catalog) -> None:
    values = VALUES.copy()
    values[3] = np.nan
    catalog.features.put("aa", "v1", values, 12.5, ["silent", "shortened"])
    found = catalog.features.get("aa", "v1")
    assert found is not None
    np.testing.assert_array_equal(found.values, values)
    assert found.values.dtype == np.float64
    assert (found.duration_s, found.flags) == (12.5, ("silent", "shortened"))
    assert catalog.features.get("aa", "v2") is None


def test_features_of_a_version_are_replaced_and_versions_live_side_by_side(catalog: Catalog) -> None:
    catalog.features.put("aa", "v1", VALUES, 1.0)
    catalog.features.put("aa", "v2", VALUES + 1, 1.0)
    catalog.features.put("aa", "v1", VALUES + 2, 1.0)
    found = {version: catalog.features.get_many(["aa", "bb"], version) for version in ("v1", "v2")}
    assert {version: set(by_hash) for version, by_hash in found.items()} == {"v1": {"aa"}, "v2": {"aa"}}
    np.testing.assert_array_equal(found["v1"]["aa"], VALUES + 2)
    np.testing.assert_array_equal(found["v2"]["aa"], VALUES + 1)


def test_missing_are_those_without_features_of_the_version(catalog: Catalog) -> None:
    many = [f"{i:04}" for i in range(1300)]  # more than two IN lists
    catalog.features.put_many("v1", [StoredFeatures(name, VALUES, 1.0) for name in many[::2]])
    catalog.features.put("0001", "v2", VALUES, 1.0)
    assert catalog.features.missing("v1", many) == set(many[1::2])
    assert catalog.features.missing("v1", []) == set()


@pytest.mark.parametrize("values", [np.zeros(21), np.zeros((1, 22)), np.float64(3)])
def test_a_wrong_number_of_values_stores_nothing(catalog: Catalog, values: np.ndarray) -> None:
    good = StoredFeatures("good", VALUES, 1.0)
    with pytest.raises(StoreError, match="names 22"):
        catalog.features.put_many("v1", [good, StoredFeatures("bad", values, 1.0)])
    assert catalog.features.get("good", "v1") is None


def test_files_are_remembered_with_64_bit_numbers(catalog: Catalog) -> None:
    (key,) = keys(catalog, "/a.wav")
    assert catalog.features.file_of(key) is None
    catalog.features.remember_file(key, "aa", 1, 2)
    catalog.features.remember_file(key, "bb", 5_000_000_000, 1_790_000_000_123_456_789)
    assert catalog.features.file_of(key) == AudioFile(key, "bb", 5_000_000_000, 1_790_000_000_123_456_789)


def test_features_of_songs_share_one_content(catalog: Catalog) -> None:
    first, second, third, silent = keys(catalog, "/a.wav", "/copy of a.wav", "/new.wav", None)
    catalog.features.remember_files([AudioFile(first, "aa", 1, 1), AudioFile(second, "aa", 1, 1)])
    catalog.features.remember_file(third, "cc", 1, 1)
    catalog.features.put("aa", "v1", VALUES, 1.0)
    found = catalog.features.of_songs([first, second, third, silent], "v1")
    assert {key: name for key, (name, _) in found.items()} == {first: "aa", second: "aa"}
    np.testing.assert_array_equal(found[first][1], VALUES)


@pytest.mark.parametrize("batch_size", [1, 2, 1000])
def test_pending_lists_songs_with_audio_in_order_of_import(catalog: Catalog, batch_size: int) -> None:
    first, _, third, fourth = keys(catalog, "/z.wav", None, "/y.wav", "/x.wav")
    catalog.features.remember_files([AudioFile(first, "aa", 1, 2), AudioFile(third, "bb", 3, 4)])
    catalog.features.put("aa", "v1", VALUES, 1.0)
    catalog.features.put("bb", "v0", VALUES, 1.0)
    assert list(catalog.features.pending("v1", batch_size)) == [
        AudioSong(first, "s0", "/z.wav", AudioFile(first, "aa", 1, 2), has_features=True),
        AudioSong(third, "s2", "/y.wav", AudioFile(third, "bb", 3, 4), has_features=False),
        AudioSong(fourth, "s3", "/x.wav", None, has_features=False),
    ]
