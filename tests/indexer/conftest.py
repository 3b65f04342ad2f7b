"""A fresh catalogue for each test: on SQLite, and on PostgreSQL too when SONGLIKE_TEST_POSTGRES_URL is set."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from indexer.catalog import Catalog, open_catalog

POSTGRES = os.environ.get("SONGLIKE_TEST_POSTGRES_URL")


@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRES else ["sqlite"])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database: a file of the test's own, or a PostgreSQL schema that is dropped afterwards."""
    if request.param == "sqlite" or POSTGRES is None:
        yield f"sqlite:///{tmp_path}/catalog.db"
        return
    server = create_engine(POSTGRES)
    schema = f"songlike_test_{uuid.uuid4().hex}"
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    url = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    yield url.render_as_string(hide_password=False)
    with server.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


@pytest.fixture
def catalog(catalog_url: str) -> Iterator[Catalog]:
    """An empty catalogue."""
    with open_catalog(catalog_url) as opened:
        yield opened
