"""``songlike demo``: the whole way of a song on a synthetic catalogue, from files to answered queries."""

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.demo_server import DemoServer, running_server
from api.cli.exits import ExitCode
from api.cli.output import print_table, say
from api.cli.place import INDEX_KIND, MODEL_KIND
from api.cli.progress import CountedProgress, duration, quiet_libraries, shown_progress
from api.settings import Settings
from engine.bundle_store import BundleStore
from engine.config import NetworkSettings, TextSettings, TrainingSettings
from engine.errors import NothingPublishedError

if TYPE_CHECKING:
    from indexer.catalog import Catalog
    from indexer.jobs.progress import ProgressCallback

_SONGS = 300
# Six passes over some 240 songs: about a minute on two cores, and every theme is learnt well enough to show.
_TRAINING = TrainingSettings(epochs=6, batch_songs=8)
_WORKERS = 2


def demo(
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Compare the server's answers with an exact computation, stop, and exit by it."
        ),
    ] = False,
    folder: Annotated[
        Path, typer.Option(help="Where the demo keeps its songs, catalogue, model and index.")
    ] = Path("songlike-demo"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of 127.0.0.1 to serve on.")] = 8000,
) -> None:
    """Run the whole way on 300 synthetic songs: import, features, training, index, server, three queries.

    What is there from an earlier run is used again. The server runs until Ctrl-C, with --check until it is checked.
    """
    settings = Settings.load(home=folder / "home", host="127.0.0.1", port=port)
    quiet_libraries()
    from indexer.catalog import open_catalog  # noqa: PLC0415 - SQLAlchemy and alembic take half a second

    begun = time.monotonic()
    settings.home.mkdir(parents=True, exist_ok=True)
    with open_catalog(settings.database) as catalog, shown_progress() as report:
        _prepare(catalog, folder / "songs", settings, report)
    with running_server(settings, folder / "server.log") as server:
        _show_queries(server)
        say("")
        say(f"Ready after {duration(time.monotonic() - begun)}.")
        if check:
            _check(server, settings)
            return
        say(f"Serving on {server.address} (see /docs); Ctrl-C stops it.")
        server.wait()


def _prepare(catalog: "Catalog", songs: Path, settings: Settings, report: "ProgressCallback") -> None:
    """Songs on disk -> catalogue -> model -> published index; each step only where something is new."""
    from engine.demo.files import write_demo_catalog  # noqa: PLC0415 - loads soundfile
    from indexer.ingest.importer import import_path  # noqa: PLC0415 - loads pyarrow
    from indexer.jobs.build import build_index  # noqa: PLC0415 - loads torch

    models, indexes = BundleStore(settings.models, MODEL_KIND), BundleStore(settings.indexes, INDEX_KIND)
    table = write_demo_catalog(songs, _SONGS, progress=CountedProgress("synthesis", report))
    imported = import_path(catalog, table, progress=CountedProgress("import", report))
    if not _is_published(models):
        from indexer.jobs.training import train  # noqa: PLC0415 - loads torch and scikit-learn

        network = NetworkSettings(text=TextSettings.packaged())
        trained = train(catalog, models, network=network, training=_TRAINING, workers=_WORKERS, report=report)
        quality = trained.report
        say(
            f"Model {trained.model_id}: mean R2 {quality['mean_r2']:.2f} over the labels of {quality['songs']} songs "
            f"by unseen artists (mean predictor {quality['mean_mean_predictor_r2']:.2f})."
        )
    built = build_index(catalog, models, indexes, workers=_WORKERS, report=report)
    say(
        f"{imported.added} songs added, {imported.unchanged} as before; index {built.version} of {built.songs} songs "
        f"{built.state}, {built.failed} songs in the error ledger."
    )


def _is_published(store: BundleStore) -> bool:
    try:
        return store.current().is_dir()
    except NothingPublishedError:
        return False


def demo_queries(server: DemoServer) -> list[tuple[str, dict[str, Any]]]:
    """Three queries and what each shows; bounds are taken from the catalogue's own percentiles."""
    labels = {label["slug"]: label["percentiles"] for label in server.get("/labels")["labels"]}
    song_id = server.get("/songs", limit=1)["songs"][0]["song_id"]
    dance, night = labels["danceability"], labels["night_time"]
    some = {"song_id": song_id, "limit": 5}
    narrow = {"min_danceability": round(dance["50"], 3), "min_night_time": round(night["50"], 3)}
    tiny = {
        "min_danceability": round(dance["75"], 3),
        "min_night_time": round(night["75"], 3),
        "year_min": 1990,
    }
    return [
        ("Songs like this one", some),
        ("Danceable ones about the night", some | narrow),
        ("Filtered to almost nothing", some | tiny),
    ]


def _show_queries(server: DemoServer) -> None:
    for title, parameters in demo_queries(server):
        answer = server.get("/similar", **parameters)
        say("")
        say(f"{title}: curl {shlex.quote(server.url('/similar', **parameters))}")
        rows = [
            [
                *(song[column] for column in ("similarity", "title", "artist", "genre")),
                song["year"] and str(song["year"]),  # a year is no number to put a comma in
                *(song["labels"][slug] for slug in ("danceability", "night_time")),
            ]
            for song in answer["neighbours"]
        ]
        columns = ("similarity", "title", "artist", "genre", "year", "danceability", "night_time")
        if rows:
            print_table(columns, rows, right=("similarity", "year", "danceability", "night_time"))
        say(f"  {answer['passing']} songs pass; dropped by each term: {answer['dropped']}")


def _check(server: DemoServer, settings: Settings) -> None:
    """Exit with code 1 when an answer differs from the exact one."""
    from api.cli.demo_check import wrong_answers  # noqa: PLC0415 - loads SQLAlchemy

    checked, wrong = wrong_answers(server, settings)
    say(f"{checked - len(wrong)} of {checked} answers over HTTP equal the exact computation.")
    for sentence in wrong:
        say(f"  {sentence}")
    if wrong:
        raise typer.Exit(ExitCode.FAILED)
