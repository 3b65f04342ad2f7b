import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray

from indexer.search.similar import SIMILARITY_DEFINITION
from tests.api.small_home import ODD_IDS, SmallHome, song_ids


def expected(home: SmallHome, seed: str, passing: NDArray[np.bool_]) -> list[str]:
    """Brute force: every passing song but the seed, nearest first, ties by song_id."""
    cosines = home.cosines(seed)
    rows = [row for row in np.flatnonzero(passing).tolist() if home.records[row].song_id != seed]
    return song_ids(home, sorted(rows, key=lambda row: (-cosines[row], home.records[row].song_id)))


def everyone(home: SmallHome) -> NDArray[np.bool_]:
    return np.ones(len(home.records), dtype=np.bool_)


def column(home: SmallHome, slug: str) -> NDArray[np.float32]:
    return home.labels[:, home.schema.slugs.index(slug)]


def test_plain_answer_is_the_brute_force_one(client: TestClient, small_home: SmallHome) -> None:
    answer = client.get("/similar", params={"song_id": "s010"}).json()
    assert [song["song_id"] for song in answer["neighbours"]] == expected(
        small_home, "s010", everyone(small_home)
    )[:10]
    assert answer["passing"] == len(small_home.records) - 1
    assert (answer["model_id"], answer["index_version"]) == (small_home.model_id, small_home.version)
    assert answer["seed"]["song_id"] == "s010"
    assert answer["similarity_definition"] == SIMILARITY_DEFINITION
    assert answer["dropped"] == {}
    cosine = dict(zip(song_ids(small_home, range(40)), small_home.cosines("s010"), strict=True))
    for song in answer["neighbours"]:
        assert song["similarity"] == pytest.approx((1 + cosine[song["song_id"]]) / 2, abs=1e-6)


def test_neighbour_carries_metadata_labels_and_what_it_is_based_on(
    client: TestClient, small_home: SmallHome
) -> None:
    answer = client.get("/similar", params={"song_id": "s010", "limit": 40}).json()
    row = {record.song_id: at for at, record in enumerate(small_home.records)}
    assert len(answer["neighbours"]) == 39
    for song in answer["neighbours"]:
        record = small_home.records[row[song["song_id"]]]
        for name in ("title", "artist", "album", "genre", "year"):
            assert song[name] == getattr(record, name)
        assert list(song["labels"]) == list(small_home.schema.slugs)
        stored = small_home.labels[row[song["song_id"]]]
        assert [np.float32(value) for value in song["labels"].values()] == list(stored)
        assert tuple(song["based_on"]) == small_home.coverage[row[song["song_id"]]]
    assert tuple(answer["seed"]["based_on"]) == small_home.coverage[row["s010"]]


def test_filters_apply_before_ranking_and_say_what_they_dropped(
    client: TestClient, small_home: SmallHome
) -> None:
    parameters = {
        "song_id": "s010",
        "min_danceability": "0.6",
        "max_world_life": "0.5",
        "genre": ["pop", "rock"],
        "year_min": "1965",
        "exclude": ["s020", "s025"],
        "limit": "40",
    }
    answer = client.get("/similar", params=parameters).json()
    years = np.array([record.year or np.nan for record in small_home.records], dtype=np.float64)
    terms = {
        "min_danceability=0.6": column(small_home, "danceability") >= np.float32(0.6),
        "max_world_life=0.5": column(small_home, "world_life") <= np.float32(0.5),
        "genre=pop&genre=rock": np.array([record.genre in {"pop", "rock"} for record in small_home.records]),
        "year_min=1965": years >= 1965,
        "exclude=s020&exclude=s025": np.array(
            [record.song_id not in {"s020", "s025"} for record in small_home.records]
        ),
    }
    seed = np.array([record.song_id == "s010" for record in small_home.records])
    passing = np.logical_and.reduce(list(terms.values()))
    found = expected(small_home, "s010", passing)
    assert found  # the case is not an empty one
    assert [song["song_id"] for song in answer["neighbours"]] == found
    assert answer["passing"] == len(found)
    for text in terms:
        others = np.logical_and.reduce([mask for name, mask in terms.items() if name != text])
        assert answer["dropped"][text] == np.count_nonzero(others & ~seed) - len(found)
    assert set(answer["dropped"]) == set(terms)


def test_pages_join_to_one_list(client: TestClient, small_home: SmallHome) -> None:
    pages = [
        client.get("/similar", params={"song_id": "s010", "limit": 7, "offset": offset}).json()["neighbours"]
        for offset in range(0, 42, 7)
    ]
    joined = [song["song_id"] for page in pages for song in page]
    assert joined == expected(small_home, "s010", everyone(small_home))


@pytest.mark.parametrize("song_id", ODD_IDS)
def test_awkward_ids_are_found(client: TestClient, song_id: str) -> None:
    answer = client.get("/similar", params={"song_id": song_id})
    assert answer.status_code == 200
    assert answer.json()["seed"]["song_id"] == song_id


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("min_dancability=0.5", "min_dancability"),
        ("min_danceability=much", "min_danceability"),
        ("min_danceability=nan", "min_danceability"),
        ("min_danceability=", "min_danceability"),
        ("min_danceability=0.9&max_danceability=0.1", "min_danceability"),
        ("min_danceability=0.1&min_danceability=0.2", "min_danceability"),
        ("min_danceability_percentile=101", "min_danceability_percentile"),
        ("year_min=1990.5", "year_min"),
        ("genre=", "genre"),
        ("has_audio=perhaps", "has_audio"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=5&limit=6", "limit"),
        ("offset=-1", "offset"),
        ("offset=10001", "offset"),
        ("song_id=s011", "song_id"),
        ("surprise=1", "surprise"),
        ("genre=" + "x" * 1001, "genre"),
        ("&".join(["exclude=a"] * 1001), "exclude"),
        ("y" * 300 + "=1", "y" * 200 + "..."),
    ],
)
def test_bad_parameter_is_named(client: TestClient, query: str, parameter: str) -> None:
    answer = client.get(f"/similar?song_id=s010&{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [wrong["parameter"] for wrong in answer.json()["errors"]] == [parameter]
    assert parameter in answer.json()["detail"]


def test_misspelt_label_is_answered_with_the_near_one(client: TestClient) -> None:
    detail = client.get("/similar?song_id=s010&min_dancability=0.5").json()["detail"]
    assert "did you mean min_danceability?" in detail


@pytest.mark.parametrize("query", ["", "song_id=", "song_id=" + "x" * 1001])
def test_seed_must_be_given_and_bounded(client: TestClient, query: str) -> None:
    answer = client.get(f"/similar?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "song_id"


@pytest.mark.parametrize("song_id", ["nobody", "a%00b", "%ff", "%ED%A0%80", "s010%00"])
def test_unknown_song_is_404(client: TestClient, song_id: str) -> None:
    answer = client.get(f"/similar?song_id={song_id}")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:problem-type:songlike:unknown-song"


@pytest.mark.parametrize("parameter", ["genre", "artist", "not_artist", "exclude", "only"])
def test_nul_byte_in_a_filter_is_a_value_like_another(
    client: TestClient, small_home: SmallHome, parameter: str
) -> None:
    answer = client.get(f"/similar?song_id=s010&{parameter}=a%00b")
    assert answer.status_code == 200
    everyone_else = len(small_home.records) - 1
    assert answer.json()["passing"] == (everyone_else if parameter in {"not_artist", "exclude"} else 0)
