import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.cli.filters import FilterOptions
from engine.errors import FilterError
from engine.vocabulary import DEFAULT_LABELS
from indexer.search.filters import Filter
from indexer.search.terms import AnyOf, Has, NoneOf, Range, Term
from tests.api.command import songlike
from tests.api.small_home import SmallHome

NO_OPTION = dict.fromkeys(FilterOptions._fields)


def test_json_is_the_answer_of_http(client: TestClient, small_home: SmallHome) -> None:
    result = songlike(
        small_home.settings.home, "similar", "s010", "--min", "danceability=0.3", "--max", "world_life=0.9",
        "--min-percentile", "sadness=5", "--genre", "pop", "--genre", "Rock", "--year-min", "1962",
        "--year-max", "1998", "--exclude", "s020", "--has-lyrics", "--limit", "5", "--offset", "1", "--json",
    )  # fmt: skip
    parameters = {
        "song_id": "s010", "min_danceability": "0.3", "max_world_life": "0.9", "min_sadness_percentile": "5",
        "genre": ["pop", "rock"], "year_min": "1962", "year_max": "1998", "exclude": "s020",
        "has_lyrics": "true", "limit": "5", "offset": "1",
    }  # fmt: skip
    answer = client.get("/similar", params=parameters).json()
    assert result.exit_code == 0
    assert json.loads(result.stdout) == answer
    assert answer["neighbours"]


def test_table_for_people(small_home: SmallHome, client: TestClient) -> None:
    home = small_home.settings.home
    result = songlike(home, "similar", "s010", "--min", "danceability=0.5", "--limit", "3", "--offset", "2")
    answer = client.get("/similar?song_id=s010&min_danceability=0.5&limit=3&offset=2").json()
    lines = result.stdout.splitlines()
    assert lines[0] == "Like Artist 3 - Title 10 (s010), based on lyrics, audio"
    assert lines[1].split() == [
        "#", "similarity", "song_id", "title", "artist", "genre", "year", "danceability", "based", "on",
    ]  # fmt: skip
    for rank, (line, song) in enumerate(zip(lines[2:5], answer["neighbours"], strict=True), 3):
        rest = line.removeprefix(f"{rank}").strip().removeprefix(f"{song['similarity']:.3f}").strip()
        assert rest.startswith(f"{song['song_id']}  ")
        assert f" {song['labels']['danceability']:.3f} " in rest
    assert f"{answer['passing']} songs pass." in result.stdout
    dropped = answer["dropped"]["min_danceability=0.5"]
    assert f"Without min_danceability=0.5 {dropped} more would pass." in result.stdout
    assert small_home.version in result.stdout


def test_titles_are_shown_as_they_are_but_move_no_cursor(small_home: SmallHome) -> None:
    result = songlike(small_home.settings.home, "similar", "s010", "--limit", "100")
    assert "[bold]Tön[/bold]" in result.stdout
    assert "\x1b" not in result.stdout


def test_nothing_passes_is_an_answer(small_home: SmallHome) -> None:
    result = songlike(small_home.settings.home, "similar", "s010", "--genre", "polka")
    assert result.exit_code == 0
    assert "0 songs pass." in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nobody"], 3, "'nobody' is not in the catalogue"),
        (["s010", "--min", "danceability"], 2, "--min: 'danceability' is not LABEL=NUMBER"),
        (["s010", "--max", "=3"], 2, "--max: '=3' is not LABEL=NUMBER"),
        (["s010", "--min", "dancability=0.5"], 2, "did you mean min_danceability?"),
        (["s010", "--min", "danceability=much"], 2, "min_danceability: 'much' is not a number"),
        (["s010", "--min", "danceability=1", "--min", "danceability=2"], 2, "is given 2 times"),
        (["s010", "--year-min", "2000", "--year-max", "1990"], 2, "year_min"),
    ],
)
def test_errors_are_one_sentence(
    small_home: SmallHome, arguments: list[str], code: int, message: str
) -> None:
    result = songlike(small_home.settings.home, "similar", *arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_nothing_published_is_3(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("song_id,title\na,One\n")
    songlike(tmp_path, "catalog", "import", table)
    result = songlike(tmp_path, "similar", "a")
    assert (result.exit_code, result.stderr) == (
        3,
        "songlike: no index has been published yet; run `songlike index build`\n",
    )


finite = st.floats(0, 1)
words = st.lists(
    st.sampled_from(["pop", "rock", "hip hop", "Anna & Ben"]), min_size=1, max_size=3, unique=True
)
terms: st.SearchStrategy[Term] = st.one_of(
    st.builds(
        lambda slug, low, high: Range(slug, min(low, high), max(low, high)),
        st.sampled_from(DEFAULT_LABELS.slugs), finite, finite,
    ),
    st.builds(
        lambda slug, low, high: Range(slug, min(low, high), max(low, high), percentile=True),
        st.sampled_from(DEFAULT_LABELS.slugs), finite, finite,
    ),
    st.builds(lambda low: Range("year", low=low), st.integers(1900, 2030)),
    st.builds(lambda values: AnyOf("genre", tuple(values)), words),
    st.builds(lambda values: NoneOf("artist", tuple(values)), words),
    st.builds(lambda values: NoneOf("song_id", tuple(values)), words),
    st.builds(Has, st.sampled_from(["lyrics", "audio"]), st.booleans()),
)  # fmt: skip


@given(st.lists(terms, max_size=6))
def test_options_mean_what_the_query_parameters_mean(wanted: list[Term]) -> None:
    try:
        where = Filter(tuple(wanted))
    except FilterError:  # two terms of one kind on one column
        return
    options: dict[str, list[str] | int | bool | None] = dict(NO_OPTION)
    for term in where.terms:
        for name, value in term.pairs:
            side, _, rest = name.partition("_")
            if side in {"min", "max"}:
                percentile = isinstance(term, Range) and term.percentile
                option = {"min": "minimum", "max": "maximum"}[side]
                option = f"{side}_percentile" if percentile else option
                slug = rest.removesuffix("_percentile")
                options[option] = [*(options[option] or []), f"{slug}={value}"]  # type: ignore[misc] # a list here
            elif name.startswith("has_"):
                options[name] = value == "true"
            elif name.startswith("year_"):
                options[name] = int(value)
            else:
                options[name] = [*(options[name] or []), value]  # type: ignore[misc] # a list here
    parameters = FilterOptions(**options).parameters()  # type: ignore[arg-type] # names are checked by the call
    assert Filter.from_parameters(DEFAULT_LABELS, parameters) == where
    assert Filter.from_text(DEFAULT_LABELS, urlencode(parameters, doseq=True)) == where
