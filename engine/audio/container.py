"""What the bytes of a file say before decoding: whether it is there, what it is, whether it ends early.

libsndfile has one misleading sentence for most bad files ("File does not exist or is not a regular file"),
so the ordinary cases are told apart here.
"""

import os
from pathlib import Path

from engine.errors import AudioError

DECODED_FORMATS = "WAV, FLAC, Ogg Vorbis, Ogg Opus, MP3, AIFF, CAF, W64 and AU"

# Offset, first bytes, name: containers that people keep music in and libsndfile does not decode.
_FOREIGN = (
    (4, b"ftyp", "MPEG-4 audio (m4a, AAC, ALAC)"),
    (0, bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), "Windows Media audio (wma)"),
    (0, bytes.fromhex("1a45dfa3"), "a Matroska or WebM file"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"wvpk", "WavPack"),
    (0, b"MPCK", "Musepack"),
    (0, b"DSD ", "DSD audio"),
    (0, bytes.fromhex("fff1"), "raw AAC"),
    (0, bytes.fromhex("fff9"), "raw AAC"),
)
_HEAD_BYTES = 16
_OGG_PAGE_BYTES = 65_536  # the longest page has 65,307
# A writer into a pipe cannot know the length; it leaves about the largest number that the field takes.
_LENGTH_UNKNOWN = 0x7FFF_0000


def shown(path: Path) -> str:
    """The path as text for messages: bytes that are no UTF-8 are spelled out, so that any store takes it."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def first_bytes(path: Path) -> bytes:
    """The first 16 bytes of an audio file that is worth opening.

    Raises
    ------
    AudioError
        When the file is missing, a directory, no regular file, unreadable or empty.
    """
    try:
        if path.is_dir():
            raise AudioError(f"{shown(path)}: is a directory; name an audio file in it")
        if not path.exists():
            raise AudioError(f"{shown(path)}: no such file; check the path")
        if not path.is_file():
            raise AudioError(f"{shown(path)}: is not a regular file; copy the audio into one")
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise AudioError(
            f"{shown(path)}: cannot be read ({error.strerror}); check its permissions"
        ) from error
    if not head:
        raise AudioError(f"{shown(path)}: empty file; copy it again")
    return head


def unrecognised(path: Path, head: bytes) -> AudioError:
    """The error for a file that the decoder does not know, with its container's name where that is known."""
    name = next((name for at, mark, name in _FOREIGN if head[at : at + len(mark)] == mark), None)
    if name is None:
        return AudioError(f"{shown(path)}: not a recognised audio file; decoded are {DECODED_FORMATS}")
    return AudioError(
        f"{shown(path)}: {name} is not decoded, only {DECODED_FORMATS}; "
        f"convert it, for example: ffmpeg -i song{shown(Path(path.suffix or '.m4a'))} song.flac"
    )


def ends_early(path: Path, head: bytes) -> bool:
    """Whether a WAV, AIFF or Ogg file is shorter than its own header or page marks say.

    Other formats answer False: an MP3's length is compared by the decoder, a cut FLAC does not decode.
    """
    if head[:4] in (b"RIFF", b"FORM"):
        declared = int.from_bytes(head[4:8], "little" if head[:4] == b"RIFF" else "big")
        # The field counts the bytes after itself; writers that count the first eight too are common.
        return path.stat().st_size < declared < _LENGTH_UNKNOWN
    if head[:4] == b"OggS":
        return not _ends_with_last_page(path)
    return False


def _ends_with_last_page(path: Path) -> bool:
    """Whether the last Ogg page is complete and marked as the end of its stream (RFC 3533, section 6)."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _OGG_PAGE_BYTES))
        tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or not page[5] & 4:
        return False
    segments = page[26]
    return len(page) >= 27 + segments + sum(page[27 : 27 + segments])
