"""Tags of an audio file, as plain text by name."""

import struct
from pathlib import Path
from typing import Any

import mutagen
from mutagen.id3 import ID3

from indexer.ingest.cells import CellError, shown

NAMES = ("title", "artist", "album", "genre", "date")

# Frames of ID3 where mutagen has no easy names for them (WAV).
_FRAMES = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "genre": "TCON", "date": "TDRC"}
# What mutagen lets through on damaged files besides its own error: seen by damaging files at random.
_DAMAGED = (mutagen.MutagenError, OSError, EOFError, ValueError, LookupError, TypeError, struct.error)


def read_tags(path: Path) -> dict[str, str]:
    """First value of each tag in `NAMES` that the file carries; an empty dictionary when it has no tags.

    Raises
    ------
    CellError
        When the file is not audio of a kind that mutagen knows, or damaged.
    """
    try:
        file = mutagen.File(path, easy=True)
        if file is None:
            raise CellError("cannot be read as audio: it is of no known kind")
        tags: Any = file.tags
        found = {name: _first(tags, name) for name in NAMES} if tags is not None else {}
    except _DAMAGED as error:
        if isinstance(error, CellError):
            raise
        raise CellError(f"cannot be read as audio: {shown(error) or type(error).__name__}") from None
    return {name: text for name, text in found.items() if text}


def _first(tags: Any, name: str) -> str:
    """First value of a tag, or an empty text."""
    if isinstance(tags, ID3):
        frames: Any = tags  # mutagen gives its methods no types
        frame = frames.get(_FRAMES[name])
        values = [] if frame is None else frame.genres if name == "genre" else frame.text
    else:
        values = tags.get(name) or tags.get("year" if name == "date" else name) or []
    return next((str(value).strip() for value in values if str(value).strip()), "")
