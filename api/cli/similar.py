"""``songlike similar``: the songs like one song, as a table."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import filters
from api.cli.output import AsJson, print_table, printable, say
from api.cli.place import catalog_of, settings_of

if TYPE_CHECKING:
    from indexer.search.similar import SimilarAnswer


def similar(
    context: typer.Context,
    song_id: Annotated[
        str, typer.Argument(metavar="SONG_ID", help="Id of the seed song, as it was imported.")
    ],
    limit: Annotated[int, typer.Option(min=1, max=100, help="Songs to answer at most.")] = 10,
    offset: Annotated[int, typer.Option(min=0, max=10_000, help="Songs to pass over.")] = 0,
    as_json: AsJson = False,
    minimum: filters.Min = None,
    maximum: filters.Max = None,
    min_percentile: filters.MinPercentile = None,
    max_percentile: filters.MaxPercentile = None,
    genre: filters.Genre = None,
    not_genre: filters.NotGenre = None,
    year_min: filters.YearMin = None,
    year_max: filters.YearMax = None,
    artist: filters.Artist = None,
    not_artist: filters.NotArtist = None,
    only: filters.Only = None,
    exclude: filters.Exclude = None,
    has_lyrics: filters.HasLyrics = None,
    has_audio: filters.HasAudio = None,
) -> None:
    """Show the songs nearest to a song among those that pass every filter.

    For example: songlike similar 4711 --min danceability=0.6 --max violence=0.1 --year-min 1990 --year-max 1999
    """
    options = filters.FilterOptions(
        minimum=minimum,
        maximum=maximum,
        min_percentile=min_percentile,
        max_percentile=max_percentile,
        genre=genre,
        not_genre=not_genre,
        year_min=year_min,
        year_max=year_max,
        artist=artist,
        not_artist=not_artist,
        only=only,
        exclude=exclude,
        has_lyrics=has_lyrics,
        has_audio=has_audio,
    )
    answer = _answer(context, song_id, options.parameters(), limit, offset)
    if as_json:
        from api.http.schemas import SimilarOut  # noqa: PLC0415 - loads the search room

        typer.echo(SimilarOut.of(answer).model_dump_json(indent=2))
        return
    _print(answer, offset)


def _answer(
    context: typer.Context, song_id: str, parameters: dict[str, list[str]], limit: int, offset: int
) -> "SimilarAnswer":
    from indexer.search.current import CurrentIndex  # noqa: PLC0415 - loads FAISS
    from indexer.search.filters import Filter  # noqa: PLC0415 - the same
    from indexer.search.similar import find_similar  # noqa: PLC0415 - the same

    with catalog_of(context) as catalog:
        current = CurrentIndex(
            settings_of(context).indexes, lambda model_id: catalog.embeddings.model(model_id) is not None
        )
        index = current.get()
        where = Filter.from_parameters(index.info.labels, parameters)
        return find_similar(catalog, index, song_id, where, limit=limit, offset=offset)


def _print(answer: "SimilarAnswer", offset: int) -> None:
    """The seed, a row per neighbour with the labels that the filter asks for, and what the filter did."""
    from indexer.search.filters import Range  # noqa: PLC0415 - loads the search room
    from indexer.search.similar import SIMILARITY_DEFINITION  # noqa: PLC0415 - the same

    seed = answer.seed
    say(f"Like {_name(seed.artist, seed.title)} ({seed.song_id}), based on {', '.join(answer.based_on)}")
    asked = {term.column for term in answer.where.terms if isinstance(term, Range)}
    slugs = [slug for slug in (answer.neighbours[0].labels if answer.neighbours else ()) if slug in asked]
    rows = [
        [
            str(rank),
            song.similarity,
            song.song_id,
            song.title,
            song.artist,
            song.genre,
            None if song.year is None else str(song.year),
            *(song.labels[slug] for slug in slugs),
            song.based_on,
        ]
        for rank, song in enumerate(answer.neighbours, offset + 1)
    ]
    columns = ("#", "similarity", "song_id", "title", "artist", "genre", "year", *slugs, "based on")
    if rows:
        print_table(columns, rows, right=("#", "similarity", "year", *slugs))
    say(f"{answer.passing:,} songs pass. Similarity is {SIMILARITY_DEFINITION}.")
    for term, number in answer.dropped.items():
        say(f"Without {term} {number:,} more would pass.")
    say(f"Model {answer.model_id}, index {answer.index_version}.")


def _name(artist: str | None, title: str | None) -> str:
    return printable(" - ".join(part for part in (artist, title) if part) or "a song without a name")
