"""Which column of a table means what: songlike's own names, and those of ``tcc_ceds_music.csv``."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import TableError
from engine.vocabulary import DEFAULT_LABELS, Label, LabelSchema

# Names of a field's column, the first that is there counts. Case and white space around do not.
NAMES: Mapping[str, tuple[str, ...]] = {
    "song_id": ("song_id", "id", "source_row_id"),
    "title": ("title", "track_name"),
    "artist": ("artist", "artist_name"),
    "album": ("album",),
    "genre": ("genre",),
    "year": ("year", "release_date"),
    "lyrics": ("lyrics",),
    "lyrics_path": ("lyrics_path",),
    "audio_path": ("audio_path",),
}
# How spreadsheets and pandas write a table's own row number.
_UNNAMED_FIRST = frozenset({"", "unnamed: 0"})
_PANDAS_INDEX = "__index_level_0__"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one table: ``fields`` and ``labels`` give places in the row, counted from 0."""

    names: tuple[str, ...]
    fields: Mapping[str, int]
    labels: tuple[tuple[Label, int], ...]

    @property
    def label_schema(self) -> LabelSchema | None:
        """The labels that the table has columns of, in schema order."""
        return LabelSchema(tuple(label for label, _ in self.labels)) if self.labels else None

    @property
    def used(self) -> tuple[int, ...]:
        """Places of the columns that are read; all others are ignored."""
        return tuple(sorted({*self.fields.values(), *(place for _, place in self.labels)}))


def labels_to_take(own: LabelSchema | None, held: LabelSchema | None = None) -> LabelSchema:
    """The default labels, those that the catalogue holds already, and the user's own.

    One of the same slug takes the place of an earlier one. Held labels are taken without being named again, or
    importing a file a second time would clear them.
    """
    taken = {label.slug: label for label in (*DEFAULT_LABELS, *(held or ()), *(own or ()))}
    return LabelSchema(tuple(taken.values()))


def check_named(table: str, columns: Columns, own: LabelSchema | None) -> None:
    """Refuse a label that the user names and the table does not have: it would be left out without a word.

    Raises
    ------
    TableError
        Naming the label.
    """
    found = columns.label_schema
    for label in own or ():
        if found is None or label.slug not in found.slugs:
            raise TableError(
                f"{table} has no column {label.name!r}; its columns are {_listed(columns.names)}"
            )


def find_columns(table: str, header: Sequence[str], labels: LabelSchema) -> Columns:
    """Find the columns of a table by its header.

    A table needs a column ``song_id`` (or ``id``, ``source_row_id``, or an unnamed first one), or else both
    ``artist`` and ``title`` (or ``artist_name`` and ``track_name``), which the id is derived from.

    Raises
    ------
    TableError
        When a needed column is missing, or one that is used is there twice.
    """
    spelled = [name.strip().casefold() for name in header]
    fields = {field: _place(table, spelled, names) for field, names in NAMES.items()}
    if fields["song_id"] is None:
        fields["song_id"] = _row_number(spelled)
    found = {field: place for field, place in fields.items() if place is not None}
    if "song_id" not in found and not {"artist", "title"} <= found.keys():
        missing = " and ".join(repr(name) for name in ("artist", "title") if name not in found)
        raise TableError(
            f"{table} has no column 'song_id', and without one it needs {missing} too; its columns are "
            f"{_listed(header)}"
        )
    places = [(label, _place(table, spelled, (label.name.casefold(), label.slug))) for label in labels]
    return Columns(
        names=tuple(header),
        fields=found,
        labels=tuple((label, place) for label, place in places if place is not None),
    )


def _place(table: str, header: Sequence[str], names: Sequence[str]) -> int | None:
    counts = Counter(header)
    for name in names:
        if counts[name] > 1:
            raise TableError(f"{table} has {counts[name]} columns called {name!r}; rename all but one")
        if counts[name]:
            return header.index(name)
    return None


def _row_number(header: Sequence[str]) -> int | None:
    if header and header[0] in _UNNAMED_FIRST:
        return 0
    return header.index(_PANDAS_INDEX) if _PANDAS_INDEX in header else None


def _listed(header: Sequence[str]) -> str:
    names = ", ".join(name.strip()[:40] or "(unnamed)" for name in header[:30])
    return names + (", ..." if len(header) > 30 else "")
