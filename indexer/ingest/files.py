"""Files that a row names: only regular files below the folder that is imported."""

from pathlib import Path, PurePosixPath, PureWindowsPath

from engine.lyrics import MAX_LYRICS_CHARACTERS
from indexer.catalog.database import storable
from indexer.ingest.cells import CellError, parse_lyrics

MAX_LYRICS_BYTES = 4 * MAX_LYRICS_CHARACTERS + 3  # UTF-8 takes at most 4 bytes a character, and a mark of 3


def file_below(folder: Path, name: str) -> Path:
    """The file called ``name`` below ``folder`` (absolute and free of links), as an absolute path.

    Raises
    ------
    CellError
        When the name is absolute or leads out of the folder, by ``..`` or by a link, or when there is no
        regular file of that name.
    """
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or name.startswith("\\"):
        raise CellError("is an absolute path; name a file relative to the imported folder")
    if ".." in PureWindowsPath(name).parts:  # which knows both slashes
        raise CellError("leads out of the imported folder; name a file inside it")
    try:
        path = (folder / name).resolve(strict=True)
        if not path.is_relative_to(folder):
            raise CellError("is a link that leads out of the imported folder; copy the file into it")
        if not path.is_file():
            raise CellError("is not a regular file")
    except FileNotFoundError:
        raise CellError("does not exist in the imported folder") from None
    except RuntimeError:  # how Python before 3.13 reports a circle of links
        raise CellError("cannot be opened: links in a circle") from None
    except OSError as error:
        raise CellError(f"cannot be opened: {error.strerror}") from None
    return path


def audio_below(folder: Path, name: str) -> Path:
    """The audio file called ``name`` below ``folder``; see `file_below`.

    Raises
    ------
    CellError
        When `file_below` does, when the file is empty, or when its path cannot be stored.
    """
    path = file_below(folder, name)
    if path.stat().st_size == 0:
        raise CellError("is an empty file")
    if not storable(str(path)):
        raise CellError("has a path that is not valid UTF-8; rename file or folder")
    return path


def read_lyrics(path: Path) -> str | None:
    """Lyrics of a text file (UTF-8, also .lrc: the engine removes time stamps), or None when it is blank.

    Raises
    ------
    CellError
        When the file is too large, not UTF-8, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LYRICS_BYTES + 1)
    except OSError as error:
        raise CellError(f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_LYRICS_BYTES:
        raise CellError(f"has more than {MAX_LYRICS_CHARACTERS:,} characters of lyrics; shorten them")
    try:
        return parse_lyrics(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise CellError("is not a UTF-8 text file") from None
