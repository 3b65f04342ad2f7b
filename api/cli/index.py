"""``songlike index``: build, publish, check and roll back the index that answers queries."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.exits import EXIT_CODES, ExitCode
from api.cli.output import AsJson, print_facts, print_json, print_table, say
from api.cli.place import catalog_of, indexes_of, models_of
from api.cli.progress import duration, quiet_libraries, shown_progress
from engine.bundle_store import BundleStore, read_manifest
from engine.errors import NothingPublishedError

app = typer.Typer(no_args_is_help=True, help="Build and look after the index.", epilog=EXIT_CODES)

_FACTS = ("songs", "model_id", "factory", "recall", "created_at")


@app.command(epilog=EXIT_CODES)
def build(
    context: typer.Context,
    factory: Annotated[
        str, typer.Option(help="Kind of index; Flat, which is exact, is the one there is.")
    ] = "Flat",
    keep: Annotated[int, typer.Option(min=1, help="Index bundles that stay for rollback.")] = 3,
    workers: Annotated[int, typer.Option(min=1, help="Processes that extract audio features.")] = 1,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try songs of the error ledger again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the index up to the catalogue and the model: features, embeddings, index, verify, publish.

    What is done already is not done again: an interrupted build goes on where it stopped, and one with
    nothing new says so. Running servers pick the new index up by themselves.
    """
    quiet_libraries()
    from indexer.jobs.build import build_index  # noqa: PLC0415 - loads FAISS, and torch when it embeds

    with catalog_of(context) as catalog, shown_progress() as report:
        outcome = build_index(
            catalog,
            models_of(context),
            indexes_of(context),
            factory=factory,
            keep=keep,
            workers=workers,
            retry_failed=retry_failed,
            report=report,
        )
    if as_json:
        print_json(outcome._asdict())
        return
    if outcome.state == "unchanged":
        say(f"Nothing new: index {outcome.version} of {outcome.songs:,} songs stays as it is.")
    else:
        say(
            f"Published index {outcome.version}: {outcome.songs:,} songs, {outcome.new_features:,} audio files and "
            f"{outcome.new_vectors:,} vectors new, in {duration(outcome.seconds)}."
        )
    if outcome.failed:
        say(f"{outcome.failed:,} songs are in the error ledger; `songlike index status` says why.")


@app.command(epilog=EXIT_CODES)
def status(
    context: typer.Context,
    errors: Annotated[int, typer.Option(min=0, help="Failed songs to list at most; 0 lists none.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show the published index, the latest build and the songs that failed."""
    with catalog_of(context) as catalog:
        latest = catalog.builds.latest()
        facts: dict[str, Any] = {
            "published": _published(indexes_of(context)),
            "catalogue_songs": catalog.songs.count(),
            "latest_build": asdict(latest) if latest else None,
            "failed": catalog.ledger.counts(),
            "errors": [asdict(entry) for entry in catalog.ledger.list(errors)] if errors else [],
        }
    if as_json:
        print_json(facts)
        return
    print_facts(_readable(facts))
    if facts["errors"]:
        say("")
        names = ("song_id", "stage", "attempts", "reason")
        print_table(
            names, [[entry[name] for name in names] for entry in facts["errors"]], right=("attempts",)
        )


@app.command(epilog=EXIT_CODES)
def verify(
    context: typer.Context,
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="Which index; the published one by default.")
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="Queries to measure the recall with.")] = 64,
    as_json: AsJson = False,
) -> None:
    """Check an index: its files, its model, and its answers against an exact computation.

    Exits with 1 when a check fails.
    """
    from api.cli.verification import checks_of  # noqa: PLC0415 - loads FAISS

    store = indexes_of(context)
    path = store.current() if version is None else store.path_of(version)
    with catalog_of(context) as catalog:
        checks = checks_of(catalog, path, sample)
    good = all(check.passed for check in checks)
    if as_json:
        print_json({"version": path.name, "passed": good, "checks": [check._asdict() for check in checks]})
    else:
        print_table(
            ("check", "result", "detail"),
            [(check.name, "passed" if check.passed else "FAILED", check.detail) for check in checks],
        )
    if not good:
        raise typer.Exit(ExitCode.FAILED)


@app.command("list", epilog=EXIT_CODES)
def list_indexes(context: typer.Context, as_json: AsJson = False) -> None:
    """List the index bundles that are kept, oldest first, the published one marked."""
    store = indexes_of(context)
    published = _published(store)
    current = published["version"] if published else None
    rows = [_facts_of(store.root / name) for name in store.names()]
    if as_json:
        print_json([{**row, "current": row["version"] == current} for row in rows])
    elif rows:
        marked = [["*" if row["version"] == current else " ", *row.values()] for row in rows]
        print_table(("", "version", *_FACTS), marked, right=("songs", "recall"))
    else:
        say("No index has been built yet; run `songlike index build`.")


@app.command(epilog=EXIT_CODES)
def rollback(context: typer.Context, as_json: AsJson = False) -> None:
    """Publish the index that was built before the current one; running servers go back to it too."""
    version = indexes_of(context).rollback()
    if as_json:
        print_json({"version": version})
    else:
        say(f"Published index {version} again.")


def _published(store: BundleStore) -> dict[str, Any] | None:
    try:
        path = store.current()
    except NothingPublishedError:
        return None
    return _facts_of(path)


def _facts_of(path: Path) -> dict[str, Any]:
    manifest = read_manifest(path)
    return {"version": path.name, **{name: manifest.get(name) for name in _FACTS}}


def _readable(facts: dict[str, Any]) -> dict[str, object]:
    published, latest = facts["published"], facts["latest_build"]
    shown: dict[str, object] = {"published index": None}
    if published:
        shown["published index"] = published["version"]
        shown.update((f"  {name.replace('_', ' ')}", published[name]) for name in _FACTS)
    shown["songs in the catalogue"] = facts["catalogue_songs"]
    shown["latest build"] = None
    if latest:
        shown["latest build"] = latest["state"]
        for name in ("model_id", "started_at", "updated_at", "version", "message"):
            shown[f"  {name.replace('_', ' ')}"] = latest[name]
        shown["  stage"] = f"{latest['stage'] or '-'} {latest['done']:,}/{latest['total']:,}"
    shown["failed songs"] = ", ".join(f"{stage} {number:,}" for stage, number in facts["failed"].items())
    return shown
