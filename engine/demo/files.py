"""Writes the demo catalogue as ordinary files: songs.csv, lyrics/*.txt and audio/* in wav, flac and ogg."""

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from engine.demo.songs import ALBUM, DemoSong, invent_songs
from engine.demo.sound import SAMPLE_RATE
from engine.errors import InputError, StoreError
from engine.vocabulary import DEFAULT_LABELS, MODALITIES

GENERATOR = 1  # raised whenever the same seed would give other songs
SONGS_FILE, SETTINGS_FILE = "songs.csv", "demo.json"
LABEL_COLUMNS = tuple(label.name for label in DEFAULT_LABELS)
COLUMNS = (
    "song_id",
    "title",
    "artist",
    "album",
    "genre",
    "year",
    "lyrics_path",
    "audio_path",
    *LABEL_COLUMNS,
)

# By turns: mostly Vorbis, which is small.
_FORMATS = ("ogg", "flac", "ogg", "ogg", "flac", "ogg", "wav", "ogg", "ogg", "ogg")
_SUBTYPES = {"ogg": "VORBIS", "flac": "PCM_16", "wav": "PCM_16"}

_README = """\
# {album}

{songs} synthetic songs, made by songlike's own generator (version {generator}, seed {seed}) to try songlike out.
Every artist, title, lyric and recording is invented by a program; nothing here comes from a real song.

- `songs.csv`: one song a row; paths are relative to this folder. Import it with `songlike catalog import`.
- `lyrics/`: raw lyrics, as text. `audio/`: synthesised recordings (wav, flac, ogg; 22,050 Hz).
- The 16 theme labels are counted in the lyrics: (words of the theme + 1/16) / (words of all themes + 1), even
  where the lyrics are left out. danceability and loudness are settings of the recording.
- Left out on purpose (`demo.json` lists the songs): {lacking}.
"""


def write_demo_catalog(
    folder: Path,
    songs: int = 300,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    *,
    seconds: tuple[float, float] = (8.0, 12.0),
) -> Path:
    """Write the demo catalogue, or find it already written, and return the path of its ``songs.csv``.

    Everything is written into a folder beside, ``.<name>.songlike-partial``, which takes the final name when
    complete: an interrupted run leaves no half catalogue behind and the next run starts afresh. The same
    arguments give the same bytes of CSV and lyrics and the same decoded samples.

    Parameters
    ----------
    folder
        Where the catalogue goes; must be absent, empty, or a demo catalogue of the same arguments.
    songs
        Number of songs, default 300 (about 50 MB).
    seed
        Seed of everything, default 0.
    progress
        Called as ``progress(done, songs)`` after each song that is written.
    seconds
        Least and greatest length of a recording, default 8 to 12.

    Raises
    ------
    InputError
        When an argument is out of range or the folder holds something else; nothing is changed.
    StoreError
        When the disk cannot take the files.
    """
    invented = invent_songs(songs, seed, seconds)
    settings = {"generator": GENERATOR, "songs": songs, "seed": seed, "seconds": list(seconds)}
    folder = folder.resolve()
    try:
        if _holds_demo(folder, settings):
            return folder / SONGS_FILE
        aside = folder.with_name(f".{folder.name}.songlike-partial")
        if aside.exists():
            shutil.rmtree(aside)
        _write(aside, invented, settings, progress)
        if folder.exists():
            folder.rmdir()  # empty; some systems do not rename onto it
        aside.replace(folder)
    except (OSError, soundfile.SoundFileError) as error:
        raise StoreError(f"cannot write the demo into {folder}: {error}; choose another folder") from error
    return folder / SONGS_FILE


def _holds_demo(folder: Path, settings: dict[str, Any]) -> bool:
    """Whether this very catalogue is there already; False for an absent or empty folder."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    path = folder / SETTINGS_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError(f"{folder} is not a demo catalogue; choose a new or empty folder for the demo")
    same = all(found.get(name) == value for name, value in settings.items())
    if not same or not (folder / SONGS_FILE).is_file():
        raise InputError(f"{folder} holds another or a damaged demo; remove it or choose another folder")
    return True


def _write(
    aside: Path,
    invented: Iterable[DemoSong],
    settings: dict[str, Any],
    progress: Callable[[int, int], None] | None,
) -> None:
    """Write every file of the catalogue into the folder aside."""
    total = settings["songs"]
    for name in ("lyrics", "audio"):
        (aside / name).mkdir(parents=True)
    lacking: dict[str, list[str]] = {name: [] for name in MODALITIES}
    with (aside / SONGS_FILE).open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        table.writeheader()
        for done, song in enumerate(invented, start=1):
            table.writerow(_row(song, _write_lyrics(aside, song), _write_audio(aside, song, done - 1)))
            for name in song.lacking:
                lacking[name].append(song.song_id)
            if progress is not None:
                progress(done, total)
        out.flush()
        os.fsync(out.fileno())
    left_out = ", ".join(f"{name} {len(ids)} times" for name, ids in lacking.items())
    (aside / "README.md").write_text(
        _README.format(album=ALBUM, lacking=left_out, **settings), encoding="utf-8"
    )
    facts = {"album": ALBUM, "synthetic": True, **settings, "lacking": lacking}
    (aside / SETTINGS_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _row(song: DemoSong, lyrics_path: str, audio_path: str) -> dict[str, str]:
    """The song's line of the table; what the song lacks is empty."""
    return {
        "song_id": song.song_id,
        "title": song.title,
        "artist": song.artist,
        "album": ALBUM,
        "genre": "" if "genre" in song.lacking else song.genre,
        "year": "" if "year" in song.lacking else str(song.year),
        "lyrics_path": lyrics_path,
        "audio_path": audio_path,
        **{name: f"{song.labels[name]:.6f}" for name in LABEL_COLUMNS},
    }


def _write_lyrics(aside: Path, song: DemoSong) -> str:
    """Write the lyrics; return their path inside the folder, or '' when the song lacks them."""
    if "lyrics" in song.lacking:
        return ""
    relative = f"lyrics/{song.song_id}.txt"
    (aside / relative).write_text(song.lyrics, encoding="utf-8", newline="\n")
    return relative


def _write_audio(aside: Path, song: DemoSong, number: int) -> str:
    """Write the recording; return its path inside the folder, or '' when the song lacks it.

    Ogg files are stereo, a little wider to the left; the mean of both sides is the recording itself.
    """
    if "audio" in song.lacking:
        return ""
    suffix = _FORMATS[number % len(_FORMATS)]
    relative = f"audio/{song.song_id}.{suffix}"
    samples = song.recording()
    if suffix == "ogg":
        samples = np.outer(samples, np.array([1.1, 0.9], dtype=np.float32))
    soundfile.write(aside / relative, samples, SAMPLE_RATE, format=suffix.upper(), subtype=_SUBTYPES[suffix])
    return relative
