"""``songlike model``: train, evaluate, look at what is there."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError

from api.cli.catalog import parse_label
from api.cli.evaluation import print_evaluation, read_ids
from api.cli.exits import EXIT_CODES
from api.cli.output import AsJson, print_facts, print_json, say
from api.cli.place import catalog_of, models_of
from api.cli.progress import duration, quiet_libraries, shown_progress
from engine.bundle_store import read_manifest
from engine.config import (
    PACKAGED_TEXT_ENCODER,
    PRODUCTION_TEXT_ENCODER,
    NetworkSettings,
    TextSettings,
    TrainingSettings,
)
from engine.errors import InputError
from engine.vocabulary import DEFAULT_LABELS, LabelSchema, slugify

app = typer.Typer(no_args_is_help=True, help="Train the encoder and judge it.", epilog=EXIT_CODES)

_TRAINING = TrainingSettings()
_SHORT_NAMES = {"minilm": PACKAGED_TEXT_ENCODER}

JudgeOnly = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Judge on these songs only, of those held out: a text file with one song_id per line.",
    ),
]


@app.command(epilog=EXIT_CODES)
def train(
    context: typer.Context,
    encoder: Annotated[
        str,
        typer.Option(
            metavar="SOURCE",
            help="Text encoder: a hub id, a local folder, package:NAME, or minilm for the small packaged one.",
        ),
    ] = PRODUCTION_TEXT_ENCODER,
    pooling: Annotated[
        Literal["cls", "mean"] | None,
        typer.Option(help="How tokens become one vector; by default cls, and mean for a packaged encoder."),
    ] = None,
    tuning: Annotated[
        Literal["lora", "frozen", "full"],
        typer.Option(help="What of the text encoder learns: low-rank adapters, nothing, or all of it."),
    ] = "lora",
    fusion: Annotated[
        Literal["concat", "gated"], typer.Option(help="How lyrics, audio and metadata are joined.")
    ] = "concat",
    loss: Annotated[Literal["mse", "huber"], typer.Option(help="Loss of the label head.")] = _TRAINING.loss,
    epochs: Annotated[float, typer.Option(help="Passes over the training songs.")] = _TRAINING.epochs,
    batch_songs: Annotated[int, typer.Option(help="Songs of one step.")] = _TRAINING.batch_songs,
    learning_rate: Annotated[
        float, typer.Option(help="Peak learning rate of the network.")
    ] = _TRAINING.learning_rate,
    text_learning_rate: Annotated[
        float, typer.Option(help="Peak learning rate of the text encoder.")
    ] = _TRAINING.text_learning_rate,
    seed: Annotated[
        int, typer.Option(help="Seed of everything random; one seed, one result.")
    ] = _TRAINING.seed,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL",
            help="Label to predict; by default all that are known. With --table also NAME:MIN:MAX, for a column "
            "that is none of the default labels. Repeatable.",
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Train on the songs of this CSV or Parquet table, not on the catalogue."
        ),
    ] = None,
    judge_only: JudgeOnly = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that extract audio features.")] = 1,
    publish: Annotated[bool, typer.Option(help="Make it the model that `index build` uses.")] = True,
    as_json: AsJson = False,
) -> None:
    """Train a model on the labelled songs, end to end, and publish it.

    Songs are split by artist; the report is measured on artists that training never saw. A run that was
    interrupted goes on from its last checkpoint when the same command is given again.
    """
    text = {"source": encoder, "pooling": pooling, "tuning": tuning}
    network = _network(text, fusion)
    training = _training(
        loss=loss,
        epochs=epochs,
        batch_songs=batch_songs,
        learning_rate=learning_rate,
        text_learning_rate=text_learning_rate,
        seed=seed,
    )
    judges = read_ids(judge_only)
    quiet_libraries()
    from indexer.jobs import training as jobs  # noqa: PLC0415 - loads torch

    slugs, extra = _labels(label or [], of_table=table is not None)
    source = catalog_of(context) if table is None else jobs.table_catalog(table, extra)
    with source as catalog, shown_progress() as report:
        outcome = jobs.train(
            catalog,
            models_of(context),
            network=network,
            training=training,
            labels=slugs,
            judge_only=judges,
            publish=publish,
            workers=workers,
            report=report,
        )
    facts = {"model_id": outcome.model_id, "published": publish, "seconds": outcome.seconds}
    if as_json:
        print_json({**facts, "path": outcome.path, "report": outcome.report})
        return
    done = "Trained and published" if publish else "Trained (not published)"
    say(f"{done} model {outcome.model_id} in {duration(outcome.seconds)}.")
    say(f"Means over the labels, on {outcome.report['songs']:,} songs by artists that training never saw:")
    print_facts(_means(outcome.report))
    if publish:
        say("`songlike index build` makes the index that answers with it.")


@app.command(epilog=EXIT_CODES)
def evaluate(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Option(metavar="ID", help="Which model; the published one by default.")
    ] = None,
    judge_only: JudgeOnly = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Judge TF-IDF + ridge on the same split too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Judge a model on the catalogue's labelled songs by artists that training never saw.

    R2 is 1 for a perfect prediction and about 0 for the mean of the training songs, which stands beside it.
    """
    judges = read_ids(judge_only)
    quiet_libraries()
    from indexer.jobs.training import evaluate_model  # noqa: PLC0415 - loads torch

    with catalog_of(context) as catalog:
        result = evaluate_model(
            catalog, models_of(context), model_id=model, judge_only=judges, baselines=baselines
        )
    if as_json:
        print_json(result)
    else:
        print_evaluation(result)


@app.command(epilog=EXIT_CODES)
def info(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Argument(metavar="ID", help="Which model; the published one by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a model bundle says of itself: its manifest."""
    store = models_of(context)
    path = store.current() if model is None else store.path_of(model)
    manifest = read_manifest(path)
    if as_json:
        print_json(manifest)
        return
    print_facts({"folder": path, **_flat(manifest)})


def _network(text: dict[str, Any], fusion: str) -> NetworkSettings:
    source = _SHORT_NAMES.get(text["source"], text["source"])
    given = {name: value for name, value in {**text, "source": source}.items() if value is not None}
    packaged = source.startswith("package:")
    try:
        settings = TextSettings.packaged(**given) if packaged else TextSettings.model_validate(given)
        return NetworkSettings.model_validate({"text": settings, "fusion": fusion})
    except ValidationError as error:
        raise _wrong_option(error) from None


def _labels(texts: list[str], *, of_table: bool) -> tuple[list[str] | None, LabelSchema | None]:
    """Slugs to predict, and the labels that the import of a table does not know by itself."""
    if not texts:
        return None, None
    if not of_table:
        return [slugify(text) for text in texts], None
    labels = [parse_label(text) for text in texts]
    own = tuple(label for label in labels if label.slug not in DEFAULT_LABELS.slugs)
    return [label.slug for label in labels], LabelSchema(own) if own else None


def _training(**given: Any) -> TrainingSettings:
    try:
        return TrainingSettings.model_validate(given)
    except ValidationError as error:
        raise _wrong_option(error) from None


def _wrong_option(error: ValidationError) -> InputError:
    first = error.errors(include_url=False)[0]
    option = str(first["loc"][-1]).replace("_", "-")
    return InputError(f"--{option} {first['input']!r} cannot be used: {first['msg']}")


def _means(report: dict[str, Any]) -> dict[str, Any]:
    names = {key: key.removeprefix("mean_").replace("_", " ") for key in report if key.startswith("mean_")}
    return {name: report[key] for key, name in names.items()}


def _flat(manifest: dict[str, Any]) -> dict[str, object]:
    """The manifest as facts: labels by slug, nested facts as ``name=value``, file hashes left out."""
    facts: dict[str, object] = {}
    for name, value in manifest.items():
        if name == "files":
            facts[name] = ", ".join(value)
        elif name == "vocabulary":
            facts["labels"] = [label["slug"] for label in value["labels"]]
            facts["genres"] = value["genres"]
        elif isinstance(value, dict):
            facts[name] = ", ".join(f"{key}={part}" for key, part in value.items())
        else:
            facts[name] = value
    return facts
