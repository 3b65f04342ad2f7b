from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from tests.api.small_home import SmallHome, make_home


@pytest.fixture(autouse=True)
def no_settings_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "DATABASE_URL", "HOST", "PORT"):
        monkeypatch.delenv(f"SONGLIKE_{name}", raising=False)


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    """A home that tests only read."""
    return make_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def client(small_home: SmallHome) -> Iterator[TestClient]:
    with TestClient(create_app(small_home.settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def own_home(tmp_path: Path) -> SmallHome:
    """A home that the test may change."""
    return make_home(tmp_path / "own")
