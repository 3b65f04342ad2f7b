"""A folder of tagged audio: every audio file is a song, with lyrics from a .lrc or .txt beside it."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from engine.errors import TableError
from indexer.catalog.records import SongRecord
from indexer.ingest.cells import CellError, parse_genre, parse_name, parse_year, shown
from indexer.ingest.files import audio_below, file_below, read_lyrics
from indexer.ingest.row import Outcome, Reader, path_id
from indexer.ingest.tags import read_tags

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a")
LYRICS_SUFFIXES = (".lrc", ".txt")  # the first that is there is read
LEFT_OUT = "left out, the song was taken without it: it "  # begins the reason against a part of a taken song

_YEAR_IN_DATE = re.compile(r"\s*([0-9]{4})")  # dates of tags: 1994, 1994-05-01, 19940501, 1994/05


def count_audio(folder: Path) -> int:
    """Number of audio files below a folder.

    Raises
    ------
    TableError
        When there are none.
    """
    total = sum(1 for found in _walk(folder) if isinstance(found, str))
    if not total:
        raise TableError(f"{folder} holds no audio files ({', '.join(AUDIO_SUFFIXES)})")
    return total


def read_folder(folder: Path, source: str) -> Iterator[Outcome]:
    """Songs of a folder in order of path; hidden files, and links to folders, are passed over.

    A file that is no audio is refused. A tag or lyrics file that cannot be used is left out and reported,
    and the song is taken without it. A song without a title is called by its file's name.
    """
    folder = folder.resolve()
    for found in _walk(folder):
        if isinstance(found, OSError):
            reader = Reader(shown(_relative(found.filename or "", folder)), None)
            reader.refuse("folder", reader.location, f"cannot be read: {found.strerror}")
            yield Outcome(None, tuple(reader.rejects))
        else:
            yield _song(folder, found, source)


def _walk(folder: Path) -> Iterator[str | OSError]:
    """Paths of audio files relative to the folder, and errors of folders that cannot be listed."""
    errors: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from errors
        errors.clear()
        for name in sorted(files):
            if name.lower().endswith(AUDIO_SUFFIXES) and not name.startswith("."):
                yield _relative(os.path.join(parent, name), folder)  # noqa: PTH118 - Path is slow by the million
    yield from errors


def _relative(path: str, folder: Path) -> str:
    return Path(path).relative_to(folder).as_posix() if path else ""


def _song(folder: Path, name: str, source: str) -> Outcome:
    reader = Reader(shown(name), None)
    try:
        path = audio_below(folder, name)
        tags = read_tags(path)
    except CellError as error:
        reader.refuse("file", name, str(error))
        return Outcome(None, tuple(reader.rejects))
    date = tags.get("date", "")
    year = _YEAR_IN_DATE.match(date)
    record = SongRecord(
        song_id=path_id(name),
        title=reader.read(parse_name, "title", tags.get("title")) or _title_of(name),
        artist=reader.read(parse_name, "artist", tags.get("artist")),
        album=reader.read(parse_name, "album", tags.get("album")),
        genre=reader.read(parse_genre, "genre", tags.get("genre")),
        year=reader.read(parse_year, "date", year[1] if year else date),
        lyrics=_lyrics(folder, name, reader),
        audio_path=str(path),
        source=source,
    )
    return Outcome(
        record, tuple(replace(reject, reason=LEFT_OUT + reject.reason) for reject in reader.rejects)
    )


def _title_of(name: str) -> str | None:
    try:
        return parse_name(PurePosixPath(name).stem)
    except CellError:
        return None  # a file name that makes no title leaves the song without one


def _lyrics(folder: Path, name: str, reader: Reader) -> str | None:
    for suffix in LYRICS_SUFFIXES:
        beside = str(PurePosixPath(name).with_suffix(suffix))
        if (folder / beside).exists():
            return reader.read(lambda value: read_lyrics(file_below(folder, str(value))), "lyrics", beside)
    return None
