import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import uvicorn
from fastapi import FastAPI

from tests.api.command import songlike
from tests.api.small_home import SmallHome


def test_serve_hands_its_address_over(own_home: SmallHome, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, object]] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: calls.append({"app": app, **options}))
    monkeypatch.setenv("SONGLIKE_PORT", "9001")
    assert songlike(own_home.settings.home, "serve", "--host", "::1").exit_code == 0
    assert songlike(own_home.settings.home, "serve", "--port", "0").exit_code == 0
    assert [(call["host"], call["port"]) for call in calls] == [("::1", 9001), ("127.0.0.1", 0)]
    assert all(isinstance(call["app"], FastAPI) for call in calls)


def test_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_bytes(b"this is no database, whatever its name says" * 100)
    result = songlike(tmp_path, "serve")
    assert result.exit_code == 4
    assert len(result.stderr.splitlines()) == 1
    assert "catalog.db" in result.stderr


def test_a_port_that_is_taken_is_one_sentence(small_home: SmallHome) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = songlike(small_home.settings.home, "serve", "--port", port)
    assert result.exit_code == 2
    assert f"songlike: port {port} of 127.0.0.1 cannot be used" in result.stderr
    assert "--port" in result.stderr


def test_real_server_answers_and_stops(small_home: SmallHome) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = "import sys; from api.cli.main import main; sys.argv[0] = 'songlike'; main()"
    arguments = ["--home", str(small_home.settings.home), "serve", "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-c", command, *arguments], stderr=subprocess.PIPE, text=True, env=environment
    ) as server:
        try:
            address = _address(server)
            with urlopen(f"{address}/similar?song_id=s010&limit=3") as answer:  # noqa: S310 - our own loopback address
                neighbours = json.load(answer)["neighbours"]
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=20)
    assert len(neighbours) == 3


def _address(server: "subprocess.Popen[str]") -> str:
    """What uvicorn says it listens on, once it answers."""
    assert server.stderr is not None
    for line in server.stderr:
        if "running on " in line:
            address = line.split("running on ")[1].split()[0]
            break
    else:
        raise AssertionError("the server did not start")
    for _ in range(50):
        try:
            with urlopen(f"{address}/health/live"):  # noqa: S310 - our own loopback address
                return address
        except URLError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")
