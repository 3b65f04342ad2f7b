import sqlite3

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from api.settings import Settings
from indexer.catalog import open_catalog
from tests.api.small_home import ODD_IDS, SmallHome, song_at


@pytest.mark.parametrize("song_id", ODD_IDS)
def test_song_is_found_under_any_id(client: TestClient, song_id: str) -> None:
    url = client.base_url.join("/songs/").copy_with(raw_path=b"/songs/" + quoted(song_id))
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer.json()["song_id"] == song_id


def quoted(text: str) -> bytes:
    from urllib.parse import quote

    return quote(text).encode()


def test_slash_may_be_escaped(client: TestClient) -> None:
    assert client.get("/songs/a%2Fb%2Fc.flac").json()["song_id"] == "a/b/c.flac"


def test_song_shows_what_is_imported_and_what_is_predicted(client: TestClient, small_home: SmallHome) -> None:
    answer = client.get("/songs/s007").json()
    row = [record.song_id for record in small_home.records].index("s007")
    predicted = answer.pop("predicted")
    assert answer == {
        "song_id": "s007",
        "title": "Title 7",
        "artist": "Artist 0",
        "album": None,
        "genre": None,
        "year": 1967,
        "has_lyrics": True,
        "has_audio": True,
        "labels": {"danceability": 0.5},
    }
    assert (predicted["model_id"], predicted["index_version"]) == (small_home.model_id, small_home.version)
    assert [np.float32(value) for value in predicted["labels"].values()] == list(small_home.labels[row])


def test_where_files_lie_is_not_told(client: TestClient) -> None:
    assert "/music" not in client.get("/songs/s007").text


def test_song_without_an_index_has_no_prediction(tmp_path: str) -> None:
    settings = Settings.load(home=tmp_path)
    with open_catalog(settings.database) as catalog:
        catalog.songs.upsert([song_at(9)])
    with TestClient(create_app(settings)) as client:
        answer = client.get("/songs/s009")
    assert answer.status_code == 200
    assert answer.json()["predicted"] is None


@pytest.mark.parametrize("path", ["/songs/nobody", "/songs/a%00b", "/songs/s007%00", "/songs/%ff"])
def test_unknown_song_is_404(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["title"] == "Unknown song"


def test_songs_are_found_by_part_of_title_or_artist(client: TestClient, small_home: SmallHome) -> None:
    found = client.get("/songs", params={"q": "ARTIST 3", "limit": 100}).json()
    assert {song["song_id"] for song in found["songs"]} == {
        record.song_id for record in small_home.records if record.artist == "Artist 3"
    }
    assert found["next_offset"] is None
    assert [song["song_id"] for song in client.get("/songs?q=title+39").json()["songs"]] == ["s039"]


def test_wildcards_of_the_database_mean_themselves(client: TestClient) -> None:
    assert client.get("/songs", params={"q": "%"}).json()["songs"] == []
    assert client.get("/songs", params={"q": "Title_1"}).json()["songs"] == []


def test_pages_join_and_end(client: TestClient, small_home: SmallHome) -> None:
    found: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = client.get("/songs", params={"limit": 16, "offset": offset}).json()
        found += [song["song_id"] for song in page["songs"]]
        offset = page["next_offset"]
    assert len(found) == len(small_home.records)
    assert set(found) == {record.song_id for record in small_home.records}


@pytest.mark.parametrize("query", ["%00", "a%00b", "%ff"])
def test_text_that_no_title_can_have_finds_nothing(client: TestClient, query: str) -> None:
    answer = client.get(f"/songs?q={query}")
    assert answer.status_code == 200
    assert answer.json()["songs"] == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("q=" + "x" * 201, "q"),
        ("query=x", "query"),
        ("q=a&q=b", "q"),
        ("limit=101", "limit"),
        ("offset=10001", "offset"),
    ],
)
def test_bad_parameter_is_named(client: TestClient, query: str, parameter: str) -> None:
    answer = client.get(f"/songs?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == parameter


def test_broken_database_is_503_and_tells_nothing_of_the_machine(own_home: SmallHome) -> None:
    with TestClient(create_app(own_home.settings), raise_server_exceptions=False) as client:
        with sqlite3.connect(own_home.settings.database_file) as database:
            database.execute("ALTER TABLE songs RENAME TO gone")
        answer = client.get("/songs?q=x")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:problem-type:songlike:store-unavailable"
    assert str(own_home.settings.home) not in answer.text
    assert "gone" not in answer.text
