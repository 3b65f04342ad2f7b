"""The demo's server: a process of its own, asked over HTTP as any client asks it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from api.cli.address import check_free
from api.settings import Settings
from engine.errors import InputError, SonglikeError

_START_S = 60.0  # a cold start on a busy machine
_STOP_S = 10.0
_COMMAND = (sys.executable, "-c", "from api.cli.main import main; main()")


class DemoServer:
    """A running server and questions to it."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, log: Path) -> None:
        self._process = process
        self._log = log
        self.address = address

    def url(self, path: str, **parameters: Any) -> str:
        """URL of a question; a list is a repeated parameter."""
        query = urlencode(parameters, doseq=True)
        return f"{self.address}{path}?{query}" if query else f"{self.address}{path}"

    def get(self, path: str, **parameters: Any) -> Any:
        """JSON that the server answers.

        Raises
        ------
        SonglikeError
            When it answers with a problem.
        """
        try:
            with urlopen(self.url(path, **parameters), timeout=30) as answer:  # noqa: S310 - the demo's own server
                return json.load(answer)
        except HTTPError as error:
            raise SonglikeError(
                f"{path} answered {error.code}: {error.read().decode(errors='replace')}"
            ) from error

    def is_ready(self) -> bool:
        """Whether it answers queries.

        Raises
        ------
        InputError
            When the process has ended, for instance because the port is taken.
        """
        if self._process.poll() is not None:
            raise InputError(f"the server could not start on {self.address}; {self._log} says why")
        try:
            return bool(self.get("/health/ready"))
        except (SonglikeError, URLError, ConnectionError, TimeoutError):
            return False

    def wait(self) -> None:
        """Wait until the server ends."""
        self._process.wait()


@contextmanager
def running_server(settings: Settings, log: Path) -> Iterator[DemoServer]:
    """Server on the settings' address, ready to answer; what it says goes to ``log``. Stopped when the block ends.

    Raises
    ------
    InputError
        When the port is taken, or the server cannot start.
    """
    check_free(settings.host, settings.port)
    where = ["--home", str(settings.home), "serve", "--host", settings.host, "--port", str(settings.port)]
    with log.open("wb") as out:
        process = subprocess.Popen([*_COMMAND, *where], stdout=out, stderr=subprocess.STDOUT)  # noqa: S603 - this very program
    server = DemoServer(process, f"http://{settings.host}:{settings.port}", log)
    try:
        deadline = time.monotonic() + _START_S
        while not server.is_ready():
            if time.monotonic() > deadline:
                raise InputError(f"the server on {server.address} was not ready within {_START_S:.0f} s")
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
