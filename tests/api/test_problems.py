import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from indexer.catalog.songs import Songs
from tests.api.small_home import SmallHome


def test_unknown_path_is_a_problem(client: TestClient) -> None:
    answer = client.get("/nothing/here")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is nothing at this path; /docs lists what there is",
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD"])
def test_wrong_method_is_a_problem_that_names_the_right_one(client: TestClient, method: str) -> None:
    answer = client.request(method, "/similar")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.headers["content-type"] == "application/problem+json"
    if method != "HEAD":
        assert answer.json()["title"] == "Method Not Allowed"


def test_defect_is_a_problem_that_leaks_nothing(
    small_home: SmallHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_named: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(Songs, "find", broken)
    with TestClient(create_app(small_home.settings), raise_server_exceptions=False) as client:
        answer = client.get("/songs?q=x")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "about:blank"
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text


def test_every_wrong_parameter_is_listed(client: TestClient) -> None:
    answer = client.get("/similar?limit=0&offset=x").json()
    assert {wrong["parameter"] for wrong in answer["errors"]} == {"song_id", "limit", "offset"}
    assert answer["status"] == 422


def test_path_with_a_slash_too_many_is_not_redirected(client: TestClient) -> None:
    answer = client.get("/similar/?song_id=s010", follow_redirects=False, headers={"host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers
