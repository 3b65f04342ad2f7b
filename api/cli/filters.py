"""Filter options of the command line; they become the query parameters that HTTP reads, by the same parser."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, NamedTuple

import typer

from engine.errors import FilterError

_PANEL = "Filters (a song must pass them all)"
_BOUND = "LABEL=NUMBER"

Bounds = list[str] | None
Values = list[str] | None

Min = Annotated[
    Bounds,
    typer.Option(
        "--min", metavar=_BOUND, rich_help_panel=_PANEL, help="Least value of a label, included. Repeatable."
    ),
]
Max = Annotated[
    Bounds,
    typer.Option(
        "--max",
        metavar=_BOUND,
        rich_help_panel=_PANEL,
        help="Highest value of a label, included. Repeatable.",
    ),
]
MinPercentile = Annotated[
    Bounds,
    typer.Option(
        metavar=_BOUND, rich_help_panel=_PANEL, help="Least percentile, 0-100, in this catalogue. Repeatable."
    ),
]
MaxPercentile = Annotated[
    Bounds,
    typer.Option(
        metavar=_BOUND,
        rich_help_panel=_PANEL,
        help="Highest percentile, 0-100, in this catalogue. Repeatable.",
    ),
]
Genre = Annotated[Values, typer.Option(rich_help_panel=_PANEL, help="One of these genres. Repeatable.")]
NotGenre = Annotated[Values, typer.Option(rich_help_panel=_PANEL, help="None of these genres. Repeatable.")]
YearMin = Annotated[int | None, typer.Option(rich_help_panel=_PANEL, help="First release year.")]
YearMax = Annotated[int | None, typer.Option(rich_help_panel=_PANEL, help="Last release year.")]
Artist = Annotated[
    Values, typer.Option(rich_help_panel=_PANEL, help="One of these artists, by exact name. Repeatable.")
]
NotArtist = Annotated[Values, typer.Option(rich_help_panel=_PANEL, help="None of these artists. Repeatable.")]
Only = Annotated[
    Values, typer.Option(metavar="SONG_ID", rich_help_panel=_PANEL, help="One of these songs. Repeatable.")
]
Exclude = Annotated[
    Values, typer.Option(metavar="SONG_ID", rich_help_panel=_PANEL, help="None of these songs. Repeatable.")
]
HasLyrics = Annotated[
    bool | None,
    typer.Option(
        "--has-lyrics/--no-lyrics", rich_help_panel=_PANEL, help="Whether the vector is based on lyrics."
    ),
]
HasAudio = Annotated[
    bool | None,
    typer.Option(
        "--has-audio/--no-audio", rich_help_panel=_PANEL, help="Whether the vector is based on audio."
    ),
]


class FilterOptions(NamedTuple):
    """The options as they were given; names are those of the query parameters where HTTP has the same."""

    minimum: Bounds
    maximum: Bounds
    min_percentile: Bounds
    max_percentile: Bounds
    genre: Values
    not_genre: Values
    year_min: int | None
    year_max: int | None
    artist: Values
    not_artist: Values
    only: Values
    exclude: Values
    has_lyrics: bool | None
    has_audio: bool | None

    def parameters(self) -> dict[str, list[str]]:
        """Query parameters that mean the same; a bound of label ``danceability`` is ``min_danceability``.

        Raises
        ------
        FilterError
            Naming the option whose value is not ``LABEL=NUMBER``.
        """
        found: dict[str, list[str]] = defaultdict(list)
        bounds = (
            ("--min", self.minimum, "min_{}"),
            ("--max", self.maximum, "max_{}"),
            ("--min-percentile", self.min_percentile, "min_{}_percentile"),
            ("--max-percentile", self.max_percentile, "max_{}_percentile"),
        )
        for option, values, name in bounds:
            for label, number in _pairs(option, values or ()):
                found[name.format(label)].append(number)
        for name in ("genre", "not_genre", "artist", "not_artist", "only", "exclude"):
            found[name].extend(getattr(self, name) or ())
        for name in ("year_min", "year_max", "has_lyrics", "has_audio"):
            value = getattr(self, name)
            if value is not None:
                found[name].append(str(value).lower())
        return {name: values for name, values in found.items() if values}


def _pairs(option: str, texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        label, equals, number = text.partition("=")
        if not equals or not label.strip():
            raise FilterError(option, f"{text!r} is not {_BOUND}, such as danceability=0.6")
        yield label.strip(), number.strip()
