"""Running ``songlike`` inside the test's process."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import indexer.jobs
from api.cli.main import app


def songlike(home: Path, *arguments: str | Path) -> Result:
    """Run a command on a home folder; an unexpected exception is raised, an exit code returned."""
    result = CliRunner().invoke(app, ["--home", str(home), *map(str, arguments)], prog_name="songlike")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def fake_job(monkeypatch: pytest.MonkeyPatch, name: str, **functions: Callable[..., Any]) -> None:
    """Put a module without torch in the place of ``indexer.jobs.<name>``; mypy checks the real calls."""
    module = ModuleType(f"indexer.jobs.{name}")
    for attribute, function in functions.items():
        setattr(module, attribute, function)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(indexer.jobs, name, module, raising=False)
