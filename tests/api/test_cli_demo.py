import socket
from pathlib import Path

import numpy as np
import pytest

from api.cli.demo_check import wrong_answers
from api.cli.demo_server import DemoServer, running_server
from api.settings import Settings
from engine.errors import InputError, SonglikeError
from engine.vocabulary import DEFAULT_LABELS
from indexer.catalog import open_catalog
from indexer.catalog.embeddings import Embedding
from indexer.catalog.records import SongRecord
from indexer.search.bundle import IndexRows, index_store, write_index_bundle

SONGS = 40


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with forty songs of random unit vectors and labels, in SQL and in a published index alike."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = Settings.load(home=tmp_path / "home", host="127.0.0.1", port=port)
    settings.home.mkdir()
    fill(settings)
    return settings


def fill(settings: Settings, swapped: bool = False) -> None:
    """`swapped` puts the vectors into the index in the opposite order: answers that look right and are wrong."""
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(SONGS, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = rng.random((SONGS, len(DEFAULT_LABELS)), dtype=np.float32)
    genres = [("rock", "pop", "jazz", None)[i % 4] for i in range(SONGS)]
    years = [None if i % 5 == 0 else 1960 + i for i in range(SONGS)]
    ids = [f"song-{i:02}" for i in range(SONGS)]
    with open_catalog(settings.database) as catalog:
        catalog.songs.upsert(
            [
                SongRecord(i, title=i, artist="A", genre=g, year=y)
                for i, g, y in zip(ids, genres, years, strict=True)
            ]
        )
        keys = [record.key or 0 for records in catalog.songs.stream() for record in records]
        model = catalog.embeddings.register_model("model-a", 8, DEFAULT_LABELS)
        catalog.embeddings.put(
            model,
            [Embedding(k, "h", v, la, ("genre",)) for k, v, la in zip(keys, vectors, labels, strict=True)],
        )
    rows = IndexRows(
        keys=np.array(keys),
        song_ids=ids,
        vectors=vectors[::-1].copy() if swapped else vectors,
        labels=labels,
        genres=genres,
        years=years,
        artists=["A"] * SONGS,
        coverage=[("genre",)] * SONGS,
    )
    store = index_store(settings.indexes)
    store.publish(write_index_bundle(store, rows, model_id="model-a", labels=DEFAULT_LABELS).name)


def test_right_answers_pass_the_check_and_wrong_ones_do_not(settings: Settings, tmp_path: Path) -> None:
    with running_server(settings, tmp_path / "server.log") as server:
        assert wrong_answers(server, settings) == (7 * 20, [])
        fill(settings, swapped=True)  # the server notices the new index by itself
        checked, wrong = wrong_answers(server, settings)
        assert checked == 7 * 20
        assert any("are not the nearest ones" in sentence for sentence in wrong)
        with pytest.raises(SonglikeError, match="/similar answered 404"):
            server.get("/similar", song_id="nobody")


def test_a_taken_port_is_refused_before_anything_is_asked(settings: Settings, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.port))
        other.listen()
        with (
            pytest.raises(InputError, match=f"port {settings.port} .*--port"),
            running_server(settings, tmp_path / "server.log"),
        ):
            pass


def test_a_server_that_cannot_start_says_where_the_reason_is(tmp_path: Path, settings: Settings) -> None:
    settings.database_file.write_bytes(b"this is no database, and long enough to be read as one" * 50)
    with (
        pytest.raises(InputError, match=r"could not start .*server\.log"),
        running_server(settings, tmp_path / "server.log"),
    ):
        pass
    assert "songlike: " in (tmp_path / "server.log").read_text()


def test_lists_are_repeated_parameters() -> None:
    server = DemoServer(None, "http://x", Path("log"))  # type: ignore[arg-type] # no process is needed for a URL
    assert server.url("/similar", song_id="a/b", genre=["hip hop", "pop"]) == (
        "http://x/similar?song_id=a%2Fb&genre=hip+hop&genre=pop"
    )
