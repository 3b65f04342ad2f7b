"""Exit codes, and the one place where an error becomes a sentence and a code."""

from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from engine.errors import BundleError, InputError, NotFoundError, SonglikeError, StoreError


class ExitCode(IntEnum):
    """What the end of a command means to a script."""

    DONE = 0
    FAILED = 1
    WRONG_USE = 2
    NOT_THERE = 3
    UNUSABLE = 4
    INTERRUPTED = 130


EXIT_CODES = (
    "Exit codes: 0 done; 1 the check or command failed; 2 wrong use or bad input; 3 what was named does not "
    "exist, or nothing is published yet; 4 the store or a bundle cannot be used; 130 interrupted."
)


def exit_code(error: SonglikeError) -> ExitCode:
    """Exit code of an error that songlike raised on purpose."""
    match error:
        case InputError():
            return ExitCode.WRONG_USE
        case NotFoundError():
            return ExitCode.NOT_THERE
        case BundleError() | StoreError():
            return ExitCode.UNUSABLE
    return ExitCode.FAILED


class SonglikeGroup(TyperGroup):
    """The root of all commands: whatever one of them raises on purpose ends as one sentence on stderr."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except SonglikeError as error:
            typer.echo(f"songlike: {error}", err=True)
            raise typer.Exit(exit_code(error)) from error
        except KeyboardInterrupt as error:
            typer.echo(
                "songlike: interrupted; what was stored stays, and the same command goes on from there",
                err=True,
            )
            raise typer.Exit(ExitCode.INTERRUPTED) from error
