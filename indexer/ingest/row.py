"""From a row of a table to a song, or to every reason why it cannot be taken."""

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from indexer.catalog.imports import Reject
from indexer.catalog.records import SongRecord
from indexer.ingest.cells import (
    CellError,
    parse_genre,
    parse_id,
    parse_label,
    parse_lyrics,
    parse_name,
    parse_year,
    shown,
    text_of,
)
from indexer.ingest.columns import Columns
from indexer.ingest.files import audio_below, file_below, read_lyrics

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row as a reader found it; ``problem`` says why its cells cannot be told apart."""

    line: int
    cells: Sequence[object]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row or file: a song, or None and at least one reject.

    A song may come with rejects too: parts of it that were left out, such as an unreadable tag.
    ``id_field`` names what the id was made of.
    """

    record: SongRecord | None
    rejects: tuple[Reject, ...] = ()
    line: int | None = None
    id_field: str = "song_id"


@dataclass(slots=True)
class Reader:
    """Reads the cells of one row and gathers the reasons against it."""

    location: str
    line: int | None
    rejects: list[Reject] = field(default_factory=list)

    def read(self, parse: Callable[[object], T], field: str, value: object) -> T | None:
        """Value of a cell, or None after noting why it cannot be taken."""
        try:
            return parse(value)
        except CellError as error:
            self.refuse(field, value, str(error))
            return None

    def refuse(self, field: str, value: object, reason: str) -> None:
        """Note one reason."""
        self.rejects.append(Reject(self.location, field, shown(value), reason, self.line))


class RowParser:
    """Makes songs of the rows of one table.

    ``folder`` is the table's own, ``location`` its name in the reject report, ``source`` its name in the
    catalogue. Lyrics of the cell go before those of ``lyrics_path``.
    """

    def __init__(self, columns: Columns, folder: Path, location: str, source: str) -> None:
        self.columns = columns
        self.folder = folder.resolve()
        self.location = location
        self.source = source

    def parse(self, row: TableRow) -> Outcome:
        """The song of a row, or why it cannot be taken; never raises, whatever the cells hold."""
        reader = Reader(self.location, row.line)
        if row.problem is not None:
            reader.refuse("row", f"{len(row.cells)} cells", row.problem)
            return Outcome(None, tuple(reader.rejects), row.line)
        title = reader.read(parse_name, "title", self._cell(row, "title"))
        artist = reader.read(parse_name, "artist", self._cell(row, "artist"))
        record = SongRecord(
            song_id=self._song_id(row, reader, title, artist),
            title=title,
            artist=artist,
            album=reader.read(parse_name, "album", self._cell(row, "album")),
            genre=reader.read(parse_genre, "genre", self._cell(row, "genre")),
            year=reader.read(parse_year, "year", self._cell(row, "year")),
            lyrics=self._lyrics(row, reader),
            labels=self._labels(row, reader),
            audio_path=self._audio_path(row, reader),
            source=self.source,
        )
        id_field = "song_id" if "song_id" in self.columns.fields else "artist, title"
        return Outcome(None if reader.rejects else record, tuple(reader.rejects), row.line, id_field)

    def _cell(self, row: TableRow, field: str) -> object:
        place = self.columns.fields.get(field)
        return None if place is None else row.cells[place]

    def _song_id(self, row: TableRow, reader: Reader, title: str | None, artist: str | None) -> str:
        if "song_id" in self.columns.fields:
            return reader.read(parse_id, "song_id", self._cell(row, "song_id")) or ""
        refused = {reject.field for reject in reader.rejects}
        for name, value in (("artist", artist), ("title", title)):
            if not value and name not in refused:
                reason = "is empty; without a song_id the id is made of it"
                reader.refuse(name, self._cell(row, name), reason)
        return derived_id(artist or "", title or "")

    def _labels(self, row: TableRow, reader: Reader) -> dict[str, float]:
        values: dict[str, float] = {}
        for label, place in self.columns.labels:
            cell = row.cells[place]
            try:
                value = parse_label(cell, label)
            except CellError as error:
                reader.refuse(label.name, cell, str(error))
                continue
            if value is not None:
                values[label.slug] = value
        return values

    def _lyrics(self, row: TableRow, reader: Reader) -> str | None:
        before = len(reader.rejects)
        lyrics = reader.read(parse_lyrics, "lyrics", self._cell(row, "lyrics"))
        if lyrics is not None or len(reader.rejects) > before:
            return lyrics
        return reader.read(self._read_lyrics, "lyrics_path", self._cell(row, "lyrics_path"))

    def _read_lyrics(self, value: object) -> str | None:
        name = text_of(value)
        return read_lyrics(file_below(self.folder, name)) if name else None

    def _audio_path(self, row: TableRow, reader: Reader) -> str | None:
        return reader.read(self._find_audio, "audio_path", self._cell(row, "audio_path"))

    def _find_audio(self, value: object) -> str | None:
        name = text_of(value)
        return str(audio_below(self.folder, name)) if name else None


def derived_id(artist: str, title: str) -> str:
    """Stable id of a song without one: ``song-`` and 32 hex digits of sha256 over artist and title.

    Unicode form, case and repeated spaces do not count. Album and year are left out, so that correcting them
    updates the song and does not add another.
    """
    return "song-" + _digest("\n".join(_normalised(part) for part in (artist, title)))


def path_id(path: str) -> str:
    """Stable id of a file in a folder: ``file-`` and 32 hex digits of sha256 over its path in the folder."""
    return "file-" + _digest(unicodedata.normalize("NFC", path))


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
