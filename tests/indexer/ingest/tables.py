"""Small tables and audio files that the ingest tests write."""

import csv
import struct
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet


def write_csv(path: Path, header: Sequence[str], *rows: Sequence[object]) -> Path:
    """Write a table as Python's own csv module spells it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def write_parquet(path: Path, columns: Mapping[str, object]) -> Path:
    """Write a table of named columns; lists get the type that Arrow finds."""
    parquet.write_table(pa.table(dict(columns)), path)
    return path


def write_wav(path: Path, seconds: float = 0.05) -> Path:
    """Write a short square wave, 8,000 Hz, mono, 16 bit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack("<2h", 8000, -8000) * int(4000 * seconds))
    return path
