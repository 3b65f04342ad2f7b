"""What commands print: tables for people, JSON and CSV for scripts; stdout carries nothing else."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

_PIPED_WIDTH = 200  # columns of a table that goes to a file or a pipe

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def console(*, error: bool = False) -> Console:
    """Console on stdout or stderr; text of the catalogue is printed as it is, never read as markup."""
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(stderr=error, width=width, markup=False, emoji=False, highlight=False)


def say(text: str) -> None:
    """One line for people."""
    typer.echo(printable(text))


def print_json(data: Any) -> None:
    """JSON on stdout, indented."""
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False, default=_plain))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> None:
    """Table on stdout; the columns named in ``right`` hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        # A number that is cut is another number; words may wrap.
        table.add_column(name, justify="right" if name in right else "left", no_wrap=name in right)
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    _show(table)


def print_facts(facts: Mapping[str, object]) -> None:
    """Two columns on stdout: a name and its value."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name, cell(value))
    _show(table)


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """CSV on stdout, with a header."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def cell(value: object) -> str:
    """Text of a value in a table; unknown is a dash."""
    match value:
        case None | "":
            text = "-"
        case bool():
            text = "yes" if value else "no"
        case float():
            text = f"{value:.3f}"
        case int():
            text = f"{value:,}"
        case datetime():
            text = value.strftime("%Y-%m-%d %H:%M:%S %Z")
        case list() | tuple():
            text = ", ".join(map(str, value)) or "-"
        case _:
            text = str(value)
    return printable(text)


def printable(text: str) -> str:
    """Text without control characters: a title must not move the cursor of the terminal it is shown on."""
    return "".join(character if character.isprintable() else " " for character in text)


def _show(table: Table) -> None:
    """Print a table; what goes to a file or a pipe has no blanks at the ends of its lines."""
    screen = console()
    if screen.is_terminal:
        screen.print(table)
        return
    with screen.capture() as captured:
        screen.print(table)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case Path():
            return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
