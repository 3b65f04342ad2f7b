"""Stage "features": audio files -> the 22 named features, computed once for a file's content."""

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from engine.audio import FEATURE_VERSION, AudioFeatures, extract_features
from engine.bundle_store import file_hash
from engine.errors import AudioError
from indexer.catalog.catalog import Catalog
from indexer.catalog.features import AudioFile, AudioSong, StoredFeatures
from indexer.jobs.progress import ProgressCallback, StageClock, no_report

STAGE = "features"
_BATCH = 32  # files committed at a time: what a kill can cost
_UNREADABLE = "unreadable"  # stands for the content hash of a file that cannot be read


class _Seen(NamedTuple):
    """An audio file as it is on disk now; ``problem`` says why it cannot be read."""

    song: AudioSong
    file: AudioFile
    problem: str | None = None


class _Errors(NamedTuple):
    """What the ledger holds of this stage: input hash and code version by song key."""

    known: dict[int, tuple[str, str]]
    retry: bool

    def settled(self, seen: _Seen) -> bool:
        """Whether just this content has failed for the song before and is not to be tried again."""
        before = self.known.get(seen.song.song_key)
        return not self.retry and before == (seen.file.content_hash, FEATURE_VERSION)


def extract_features_stage(
    catalog: Catalog, *, workers: int = 1, retry_failed: bool = False, report: ProgressCallback = no_report
) -> int:
    """Compute the features that the catalogue's audio files lack; returns how many files were computed.

    A file whose size and time are those last seen is not opened. One that failed goes to the error ledger
    and is tried again only when it, or the feature version, has changed, or with ``retry_failed``.
    """
    clock = StageClock(STAGE, catalog.songs.stats()["with_audio"], report)
    errors = _Errors(catalog.ledger.known(STAGE), retry_failed)
    without_audio = set(errors.known)
    computed = 0
    with _pool(workers) as pool:
        songs_with_audio = catalog.features.pending(FEATURE_VERSION)
        while songs := list(islice(songs_with_audio, _BATCH)):
            results = _one_batch(catalog, songs, errors, pool)
            computed += sum(isinstance(result, AudioFeatures) for result in results)
            without_audio.difference_update(song.song_key for song in songs)
            clock.advance(len(songs), len(results))
    for song_key in without_audio:  # nothing is left there that could fail
        catalog.ledger.clear(song_key, STAGE)
    return computed


def _one_batch(
    catalog: Catalog, songs: list[AudioSong], errors: _Errors, pool: Executor | None
) -> list[AudioFeatures | str]:
    """Look at each file, compute what is missing, store all of it; returns what was computed."""
    seen = [_look(song) for song in songs if not _is_done(song)]
    paths = {
        one.file.content_hash: one.song.audio_path
        for one in seen
        if one.problem is None and not errors.settled(one)
    }
    wanted = sorted(catalog.features.missing(FEATURE_VERSION, list(paths)))
    results = dict(zip(wanted, _compute([paths[content] for content in wanted], pool), strict=True))
    catalog.features.put_many(
        FEATURE_VERSION,
        [
            StoredFeatures(content, result.values, result.duration_s, result.flags)
            for content, result in results.items()
            if isinstance(result, AudioFeatures)
        ],
    )
    catalog.features.remember_files([one.file for one in seen])
    for one in seen:
        if not errors.settled(one):
            _note(catalog, one, results.get(one.file.content_hash), errors)
    return list(results.values())


def _note(catalog: Catalog, one: _Seen, result: AudioFeatures | str | None, errors: _Errors) -> None:
    """Bring the ledger up to what came of a file; without a result its features were known already."""
    problem = result if isinstance(result, str) else one.problem
    if problem is not None:
        catalog.ledger.record(one.song.song_key, STAGE, problem, one.file.content_hash, FEATURE_VERSION)
    elif one.song.song_key in errors.known:
        catalog.ledger.clear(one.song.song_key, STAGE)


def _is_done(song: AudioSong) -> bool:
    """Whether the file is as it was when its features were stored, by size and time."""
    if song.file is None or not song.has_features:
        return False
    try:
        stat = Path(song.audio_path).stat()
    except OSError:
        return False
    return (stat.st_size, stat.st_mtime_ns) == (song.file.size_bytes, song.file.modified_ns)


def _look(song: AudioSong) -> _Seen:
    """Hash the song's file."""
    path = Path(song.audio_path)
    try:
        stat = path.stat()
        content = file_hash(path)
    except OSError as error:
        gone = (
            f"audio file {path.name} cannot be read: {error.strerror}; put it back or import the song again"
        )
        return _Seen(song, AudioFile(song.song_key, _UNREADABLE, 0, 0), gone)
    return _Seen(song, AudioFile(song.song_key, content, stat.st_size, stat.st_mtime_ns))


def _compute(paths: list[str], pool: Executor | None) -> Iterator[AudioFeatures | str]:
    """Features of each file, or the sentence that says why there are none, in order."""
    return map(_features_or_reason, paths) if pool is None else pool.map(_features_or_reason, paths)


def _features_or_reason(path: str) -> AudioFeatures | str:
    try:
        return extract_features(Path(path))
    except AudioError as error:
        return str(error)


@contextmanager
def _pool(workers: int) -> Iterator[Executor | None]:
    """Worker processes, or None for one worker: processes scale here, threads do not."""
    if workers <= 1:
        yield None
        return
    # Fresh processes: a fork would copy this one's database connections and thread pools.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield pool
