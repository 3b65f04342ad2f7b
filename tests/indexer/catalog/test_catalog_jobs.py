from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import InputError
from engine.vocabulary import DEFAULT_LABELS
from indexer.catalog import Catalog
from indexer.catalog.imports import Reject
from indexer.catalog.records import SongRecord, UpsertCounts


def recent(moment: datetime | None) -> bool:
    return (
        moment is not None and moment.tzinfo is UTC and abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
    )


def song_keys(catalog: Catalog, count: int) -> list[int]:
    catalog.songs.upsert([SongRecord(song_id=f"s{i}") for i in range(count)])
    return [song.key or 0 for batch in catalog.songs.stream() for song in batch]


def test_the_ledger_counts_attempts(catalog: Catalog) -> None:
    first, second = song_keys(catalog, 2)
    catalog.ledger.record(first, "features", "is silent", "in1", "v1")
    catalog.ledger.record(second, "features", "is empty", "in2", "v1")
    catalog.ledger.record(first, "embeddings", "too long", "in3", "m1")
    catalog.ledger.record(first, "features", "is text\0", "in4", "v2")
    assert catalog.ledger.known("features") == {first: ("in4", "v2"), second: ("in2", "v1")}
    assert catalog.ledger.counts() == {"embeddings": 1, "features": 2}
    newest, *others = catalog.ledger.list()
    assert (newest.song_id, newest.stage, newest.reason, newest.attempts) == ("s0", "features", "is text", 2)
    assert recent(newest.last_at)
    assert [(entry.song_id, entry.stage, entry.attempts) for entry in others] == [
        ("s0", "embeddings", 1),
        ("s1", "features", 1),
    ]
    assert len(catalog.ledger.list(limit=1)) == 1
    assert len(catalog.ledger.list(limit=None)) == 3


def test_the_ledger_forgets_what_is_cleared(catalog: Catalog) -> None:
    first, second = song_keys(catalog, 2)
    catalog.ledger.record(first, "features", "bad", "in1", "v1")
    catalog.ledger.clear(first, "embeddings")
    catalog.ledger.clear(second, "features")
    assert catalog.ledger.counts() == {"features": 1}
    catalog.ledger.clear(first, "features")
    assert catalog.ledger.known("features") == {}
    catalog.ledger.record(first, "features", "bad", "in1", "v1")
    assert catalog.ledger.list()[0].attempts == 1


def test_a_build_is_followed_to_its_end(catalog: Catalog) -> None:
    assert catalog.builds.latest() is None
    model = catalog.embeddings.register_model("m1", 4, DEFAULT_LABELS)
    catalog.builds.finish(catalog.builds.start(model), "failed", message="disk full")
    key = catalog.builds.start(model)
    catalog.builds.progress(key, "embeddings", 300, 1000)
    running = catalog.builds.latest()
    assert running is not None
    assert (running.key, running.model_id, running.state) == (key, "m1", "running")
    assert (running.stage, running.done, running.total) == ("embeddings", 300, 1000)
    assert recent(running.started_at)
    catalog.builds.finish(key, "published", version="index-2")
    ended = catalog.builds.latest()
    assert ended is not None
    assert (ended.state, ended.version, ended.message, ended.done) == ("published", "index-2", None, 300)
    assert ended.updated_at >= running.updated_at


def test_an_import_is_followed_to_its_end(catalog: Catalog) -> None:
    assert catalog.imports.latest() is None
    assert catalog.imports.rejects() == []
    key = catalog.imports.start("/music/songs.csv")
    batch = [SongRecord(song_id="a"), SongRecord(song_id="b")]
    refused = [
        Reject("songs.csv", "year", "soon", "is not a year", 3),
        Reject("songs.csv", "song_id", "", "is empty", 3),
    ]
    assert catalog.imports.add_batch(key, batch, refused, 1) == UpsertCounts(added=2)
    running = catalog.imports.latest()
    assert running is not None
    assert (running.added, running.rejected, running.finished_at) == (2, 1, None)
    changed = [SongRecord(song_id="a"), SongRecord(song_id="b", year=1990)]
    assert catalog.imports.add_batch(key, changed, [], 0) == UpsertCounts(updated=1, unchanged=1)
    catalog.imports.add_rejects(key, [Reject("songs.csv", "row", "2 cells", "too few", 9)], 1)
    run = catalog.imports.finish(key)
    assert run == catalog.imports.latest()
    assert (run.source, run.added, run.updated, run.unchanged, run.rejected) == (
        "/music/songs.csv",
        2,
        1,
        1,
        2,
    )
    assert recent(run.started_at)
    assert recent(run.finished_at)
    assert [reject.line for reject in catalog.imports.rejects(key)] == [3, 3, 9]
    assert catalog.imports.rejects(key, limit=2) == refused


def test_rejects_are_those_of_the_latest_import_unless_asked(catalog: Catalog) -> None:
    first = catalog.imports.start("one")
    catalog.imports.add_rejects(first, [Reject("one", "year", "x", "bad", 2)], 1)
    second = catalog.imports.start("two")
    assert catalog.imports.rejects() == []
    catalog.imports.add_rejects(second, [Reject("two", "file", "x", "bad")], 1)
    assert [reject.location for reject in catalog.imports.rejects(limit=None)] == ["two"]
    assert [reject.location for reject in catalog.imports.rejects(first)] == ["one"]


def test_a_batch_is_stored_as_a_whole_or_not_at_all(catalog: Catalog) -> None:
    key = catalog.imports.start("songs.csv")
    twice = [SongRecord(song_id="a"), SongRecord(song_id="a")]
    with pytest.raises(InputError):
        catalog.imports.add_batch(key, twice, [Reject("songs.csv", "year", "x", "bad", 2)], 1)
    run = catalog.imports.latest()
    assert run is not None
    assert (run.added, run.rejected, catalog.songs.count(), catalog.imports.rejects()) == (0, 0, 0, [])
