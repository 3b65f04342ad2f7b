"""``songlike catalog``: songs in, counts and rejects out."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import EXIT_CODES, ExitCode
from api.cli.output import AsJson, print_csv, print_facts, print_json, print_table, say
from api.cli.place import catalog_of
from api.cli.progress import CountedProgress, shown_progress
from engine.errors import InputError, NotFoundError
from engine.vocabulary import Label, LabelSchema

if TYPE_CHECKING:
    from indexer.ingest.importer import ImportResult

app = typer.Typer(no_args_is_help=True, help="Import songs and look at the catalogue.", epilog=EXIT_CODES)

_REJECT_COLUMNS = ("line", "location", "field", "value", "reason")


@app.command("import", epilog=EXIT_CODES)
def import_songs(
    context: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="Table (.csv, .tsv, also .gz; .parquet) or folder of tagged audio."
        ),
    ],
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:MIN:MAX]",
            help="Column that is a label too, beside the 18 default ones, and its range (0 to 1). Repeatable.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import songs; a second import of the same file changes nothing.

    Exits with 1 when there were rows and none of them could be taken.

    Rows that cannot be taken are listed by `songlike catalog rejects`; all others are stored.
    """
    from indexer.ingest.importer import import_path  # noqa: PLC0415 - pyarrow takes half a second

    labels = LabelSchema(tuple(map(parse_label, label))) if label else None
    with catalog_of(context, create=True) as catalog, shown_progress() as report:
        result = import_path(catalog, path, labels, CountedProgress("import", report))
    taken = result.added + result.updated + result.unchanged
    if as_json:
        print_json(asdict(result))
    else:
        _say_result(result)
    if result.rejected and not taken:
        raise typer.Exit(ExitCode.FAILED)


def _say_result(result: "ImportResult") -> None:
    say(f"{result.added:,} added, {result.updated:,} updated, {result.unchanged:,} unchanged.")
    if result.rejected:
        say(f"{result.rejected:,} rows were not taken; `songlike catalog rejects` says why.")


@app.command(epilog=EXIT_CODES)
def stats(context: typer.Context, as_json: AsJson = False) -> None:
    """Show how many songs the catalogue holds, and how much is known of them."""
    with catalog_of(context) as catalog:
        counts = catalog.songs.stats()
    if as_json:
        print_json(counts)
        return
    print_facts(_readable(counts))


@app.command(epilog=EXIT_CODES)
def rejects(
    context: typer.Context,
    import_key: Annotated[
        int | None, typer.Option("--import", metavar="KEY", help="Which import; the latest by default.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows to show at most; 0 shows all.")] = 100,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
) -> None:
    """List the rows that an import did not take: line, field, value and reason."""
    if as_json and as_csv:
        raise InputError("--json and --csv exclude each other; choose one")
    with catalog_of(context) as catalog:
        latest = catalog.imports.latest()
        if import_key is not None and not (latest and 1 <= import_key <= latest.key):
            raise NotFoundError(f"there is no import {import_key}; the latest is {latest and latest.key}")
        found = [asdict(reject) for reject in catalog.imports.rejects(import_key, limit or None)]
    rows = [[reject[name] for name in _REJECT_COLUMNS] for reject in found]
    if as_json:
        print_json(found)
    elif as_csv:
        print_csv(_REJECT_COLUMNS, rows)
    elif rows:
        print_table(_REJECT_COLUMNS, rows, right=("line",))
    else:
        say("No row was refused.")


def parse_label(text: str) -> Label:
    """Read ``NAME`` or ``NAME:MIN:MAX``; the name itself may contain colons.

    Raises
    ------
    InputError
        When the name makes no slug, or the range is no range.
    """
    parts = text.rsplit(":", 2)
    if len(parts) < 3:
        if len(parts) == 2:
            raise InputError(f"--label {text!r}: give both ends of the range, NAME:MIN:MAX, or none")
        return Label.named(text)
    try:
        low, high = float(parts[1]), float(parts[2])
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(f"--label {text!r}: the range is no pair of numbers; write NAME:MIN:MAX")
    return Label.named(parts[0], low, high)


def _readable(counts: dict[str, Any]) -> dict[str, object]:
    """The counts as facts: names in words, genres and labels on a line each."""
    facts: dict[str, object] = {
        name.replace("_", " "): value for name, value in counts.items() if not isinstance(value, dict)
    }
    for name in ("year min", "year max"):
        facts[name] = None if facts[name] is None else str(facts[name])  # no thousands separator
    for group in ("genres", "labels"):
        facts[group] = ", ".join(f"{name} {number:,}" for name, number in counts[group].items())
    return facts
