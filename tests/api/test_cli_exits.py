import pytest
import typer
from typer.testing import CliRunner

from api.cli.exits import SonglikeGroup, exit_code
from engine.errors import (
    AudioError,
    BundleError,
    FilterError,
    InputError,
    ModelMismatchError,
    NotFoundError,
    NothingPublishedError,
    SonglikeError,
    StoreError,
    TableError,
    TrainingDataError,
    UnknownSongError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("x"), 2), (AudioError("x"), 2), (TableError("x"), 2), (FilterError("p", "x"), 2),
        (TrainingDataError("x"), 2), (NotFoundError("x"), 3), (UnknownSongError("x"), 3),
        (NothingPublishedError("x"), 3), (BundleError("x"), 4), (ModelMismatchError("x"), 4),
        (StoreError("x"), 4), (SonglikeError("x"), 1),
    ],
)  # fmt: skip
def test_every_error_has_its_code(error: SonglikeError, code: int) -> None:
    assert exit_code(error) == code
    result = CliRunner().invoke(_raising(error), ["now"])
    assert result.exit_code == code
    assert result.stderr == f"songlike: {error}\n"
    assert result.stdout == ""


def test_interrupted_command_says_how_to_go_on() -> None:
    result = CliRunner().invoke(_raising(KeyboardInterrupt()), ["now"])
    assert result.exit_code == 130
    assert "the same command goes on" in result.stderr
    assert "Traceback" not in result.stderr


def test_defect_is_not_hidden() -> None:
    result = CliRunner().invoke(_raising(RuntimeError("defect")), ["now"])
    assert isinstance(result.exception, RuntimeError)


def _raising(error: BaseException) -> typer.Typer:
    app = typer.Typer(cls=SonglikeGroup, pretty_exceptions_enable=False)

    @app.callback()
    def root() -> None:
        pass

    @app.command()
    def now() -> None:
        raise error

    return app
