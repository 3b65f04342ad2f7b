"""Audio features in SQL: computed once for a file's content, shared by every song and model."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, and_, select

from engine.errors import StoreError
from engine.vocabulary import AUDIO_FEATURES
from indexer.catalog.database import AnyRow, AnySelect, chunks, reading, upsert, writing
from indexer.catalog.schema import AudioFeaturesRow, AudioFileRow, SongRow

_FILE = (AudioFileRow.song_key, AudioFileRow.content_hash, AudioFileRow.size_bytes, AudioFileRow.modified_ns)


@dataclass(frozen=True, slots=True)
class AudioFile:
    """What was last seen of a song's audio file: content hash, size in bytes, time of change in ns."""

    song_key: int
    content_hash: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """Audio features of one content: ``values`` (22,) float64 in `AUDIO_FEATURES` order, duration in s."""

    content_hash: str
    values: NDArray[np.float64]
    duration_s: float
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AudioSong:
    """A song with an audio path; ``file`` is None when its file was never looked at.

    ``has_features`` tells whether the content last seen has features of the version asked for.
    """

    song_key: int
    song_id: str
    audio_path: str
    file: AudioFile | None
    has_features: bool


class Features:
    """Audio files and their features."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def file_of(self, song_key: int) -> AudioFile | None:
        """What was last seen of the song's audio file, or None."""
        with reading(self._database) as connection:
            row = connection.execute(select(*_FILE).where(AudioFileRow.song_key == song_key)).first()
        return AudioFile(*row) if row else None

    def remember_file(self, song_key: int, content_hash: str, size_bytes: int, modified_ns: int) -> None:
        """Note what a song's audio file looks like now."""
        self.remember_files([AudioFile(song_key, content_hash, size_bytes, modified_ns)])

    def remember_files(self, files: Sequence[AudioFile]) -> None:
        """Note what many songs' audio files look like now, in one transaction."""
        rows = [
            {
                "song_key": file.song_key,
                "content_hash": file.content_hash,
                "size_bytes": file.size_bytes,
                "modified_ns": file.modified_ns,
            }
            for file in files
        ]
        with writing(self._database) as connection:
            upsert(connection, AudioFileRow, rows)

    def missing(self, feature_version: str, content_hashes: Collection[str]) -> set[str]:
        """Those of the contents that have no features of this version yet."""
        asked = sorted(set(content_hashes))
        found: set[str] = set()
        with reading(self._database) as connection:
            for part in chunks(asked):
                statement = select(AudioFeaturesRow.content_hash).where(
                    AudioFeaturesRow.feature_version == feature_version,
                    AudioFeaturesRow.content_hash.in_(part),
                )
                found.update(connection.execute(statement).scalars())
        return set(asked) - found

    def put(
        self,
        content_hash: str,
        feature_version: str,
        values: NDArray[np.float64],
        duration_s: float,
        flags: Sequence[str] = (),
    ) -> None:
        """Store the features (22,) of one content; features of the same version are replaced.

        Raises
        ------
        StoreError
            When the number of values is not that of `AUDIO_FEATURES`.
        """
        self.put_many(feature_version, [StoredFeatures(content_hash, values, duration_s, tuple(flags))])

    def put_many(self, feature_version: str, features: Sequence[StoredFeatures]) -> None:
        """Store the features of many contents in one transaction; see `put`.

        Raises
        ------
        StoreError
            When a number of values is not that of `AUDIO_FEATURES`; nothing is stored.
        """
        rows = [_row(feature_version, item) for item in features]
        with writing(self._database) as connection:
            upsert(connection, AudioFeaturesRow, rows)

    def get(self, content_hash: str, feature_version: str) -> StoredFeatures | None:
        """Features of one content with duration and flags, or None."""
        columns = (AudioFeaturesRow.features, AudioFeaturesRow.duration_s, AudioFeaturesRow.flags)
        statement = select(*columns).where(
            AudioFeaturesRow.content_hash == content_hash, AudioFeaturesRow.feature_version == feature_version
        )
        with reading(self._database) as connection:
            row = connection.execute(statement).first()
        return (
            StoredFeatures(content_hash, _values(row.features), row.duration_s, tuple(row.flags))
            if row
            else None
        )

    def get_many(
        self, content_hashes: Collection[str], feature_version: str
    ) -> Mapping[str, NDArray[np.float64]]:
        """Features (22,) by content hash; contents without features are left out."""
        found: dict[str, NDArray[np.float64]] = {}
        with reading(self._database) as connection:
            for part in chunks(sorted(set(content_hashes))):
                statement = select(AudioFeaturesRow.content_hash, AudioFeaturesRow.features).where(
                    AudioFeaturesRow.feature_version == feature_version,
                    AudioFeaturesRow.content_hash.in_(part),
                )
                found.update(
                    (row.content_hash, _values(row.features)) for row in connection.execute(statement)
                )
        return found

    def of_songs(
        self, song_keys: Sequence[int], feature_version: str
    ) -> dict[int, tuple[str, NDArray[np.float64]]]:
        """Content hash and features (22,) by song key; songs without features are left out."""
        found: dict[int, tuple[str, NDArray[np.float64]]] = {}
        with reading(self._database) as connection:
            for part in chunks([int(key) for key in song_keys]):
                statement = (
                    select(AudioFileRow.song_key, AudioFileRow.content_hash, AudioFeaturesRow.features)
                    .join(AudioFeaturesRow, AudioFeaturesRow.content_hash == AudioFileRow.content_hash)
                    .where(
                        AudioFeaturesRow.feature_version == feature_version, AudioFileRow.song_key.in_(part)
                    )
                )
                for row in connection.execute(statement):
                    found[row.song_key] = (row.content_hash, _values(row.features))
        return found

    def pending(self, feature_version: str, batch_size: int = 1000) -> Iterator[AudioSong]:
        """Every song with an audio path, in order of import: what the features stage has to look at.

        Songs whose features are known are among them, because only a look at the file tells whether its
        content changed; ``has_features`` and ``file`` make that look cheap.
        """
        last = 0
        while True:
            with reading(self._database) as connection:
                statement = _audio_songs(feature_version).where(SongRow.key > last).limit(batch_size)
                batch = [_audio_song(row) for row in connection.execute(statement)]
            if not batch:
                return
            yield from batch
            last = batch[-1].song_key


def _audio_songs(feature_version: str) -> AnySelect:
    columns = (SongRow.key, SongRow.song_id, SongRow.audio_path, *_FILE)
    same = and_(
        AudioFeaturesRow.content_hash == AudioFileRow.content_hash,
        AudioFeaturesRow.feature_version == feature_version,
    )
    return (
        select(*columns, AudioFeaturesRow.feature_version)
        .outerjoin(AudioFileRow, AudioFileRow.song_key == SongRow.key)
        .outerjoin(AudioFeaturesRow, same)
        .where(SongRow.audio_path.is_not(None))
        .order_by(SongRow.key)
    )


def _audio_song(row: AnyRow) -> AudioSong:
    file = None
    if row.content_hash is not None:
        file = AudioFile(row.key, row.content_hash, row.size_bytes, row.modified_ns)
    return AudioSong(row.key, row.song_id, row.audio_path, file, row.feature_version is not None)


def _row(feature_version: str, item: StoredFeatures) -> dict[str, Any]:
    values = np.asarray(item.values, dtype="<f8")
    if values.shape != (len(AUDIO_FEATURES),):
        raise StoreError(
            f"audio features have the shape {values.shape}, the vocabulary names {len(AUDIO_FEATURES)}"
        )
    return {
        "content_hash": item.content_hash,
        "feature_version": feature_version,
        "features": values.tobytes(),
        "duration_s": float(item.duration_s),
        "flags": list(item.flags),
    }


def _values(data: bytes) -> NDArray[np.float64]:
    return np.frombuffer(data, dtype="<f8").astype(np.float64)
