"""The command ``songlike``: global options and the tree of commands."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from api.cli import catalog, index, model
from api.cli.demo import demo
from api.cli.exits import EXIT_CODES, SonglikeGroup
from api.cli.serve import serve
from api.cli.similar import similar
from api.settings import Settings

app = typer.Typer(
    name="songlike",
    cls=SonglikeGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",  # joins the lines of a docstring's paragraph; nothing else is used of it
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"songlike {version('songlike')}")
        raise typer.Exit


@app.callback()
def songlike(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            envvar="SONGLIKE_HOME",
            help="Folder of the catalogue, the models and the indexes.",
            show_default="songlike-data",
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="SONGLIKE_DATABASE_URL",
            help="Database of the catalogue: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
            show_default="SQLite in the home folder",
        ),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Find the songs that are like one song, and also fit your terms.

    The way of a song: catalog import, model train, index build, then similar or serve.
    """
    context.obj = Settings.load(home=home, database_url=database)


app.add_typer(catalog.app, name="catalog")
app.add_typer(model.app, name="model")
app.add_typer(index.app, name="index")
app.command(epilog=EXIT_CODES)(similar)
app.command(epilog=EXIT_CODES)(serve)
app.command(epilog=EXIT_CODES)(demo)


def main() -> None:
    """Run the command line; the process exits with the code of `api.cli.exits`."""
    app(prog_name="songlike")
