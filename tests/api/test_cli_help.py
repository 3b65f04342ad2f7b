import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from api.cli.main import app


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and group below the root, with the words that call it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


EVERY = dict(commands(get_command(app)))


def test_tree_of_commands() -> None:
    leaves = {" ".join(path) for path, command in EVERY.items() if not hasattr(command, "commands")}
    assert leaves - {"demo"} == {
        "catalog import", "catalog stats", "catalog rejects", "model train", "model evaluate", "model info",
        "index build", "index status", "index verify", "index list", "index rollback", "similar", "serve",
    }  # fmt: skip


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_is_documented(path: tuple[str, ...]) -> None:
    command = EVERY[path]
    result = CliRunner().invoke(app, [*path, "--help"], prog_name="songlike", env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert command.help
    assert command.help.splitlines()[0].replace("`", "") in result.stdout
    for parameter in command.params:
        assert parameter.help, f"{parameter.name} has no help"
        assert all(option in result.stdout for option in parameter.opts if option.startswith("--"))
    words = " ".join(result.stdout.split())
    for code in (
        "0 done",
        "1 the check or command failed",
        "2 wrong use",
        "3 what was named",
        "4 the store",
        "130",
    ):
        assert code in words


def test_help_and_queries_load_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from api.cli.main import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print(sorted({'torch', 'transformers', 'librosa', 'sklearn', 'scipy', 'pyarrow', 'faiss', 'sqlalchemy',"
        " 'fastapi', 'numpy'} & set(sys.modules)))\n"
        "assert CliRunner().invoke(app, ['--home', 'nowhere', 'similar', 'x']).exit_code == 3\n"
        "from indexer.search import similar\n"
        "print(sorted({'torch', 'transformers', 'librosa', 'sklearn', 'scipy', 'pyarrow'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "[]\n[]\n", done.stderr


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, "songlike 0.1.0\n")


@pytest.mark.parametrize("arguments", [["nonsense"], ["similar"], ["index", "build", "--keep", "0"], []])
def test_wrong_use_is_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2
