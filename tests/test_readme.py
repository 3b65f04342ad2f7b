"""The README's own commands and Python, run as they stand, on thirty songs."""

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from typer.main import get_command

from api.cli.main import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
USE = README.split("## Use it on your songs")[1].split("### What goes in")[0]
BINARIES = Path(sys.executable).parent
PORT = "18765"


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", USE, re.DOTALL)
    assert found, f"the README's section has no {language} block"
    return found.group(1)


def commands() -> list[list[str]]:
    return [shlex.split(line, comments=True) for line in block("bash").splitlines() if line.strip()]


def write_songs(folder: Path) -> None:
    """Thirty songs by ten artists; `danceability` goes with the word dance, `sadness` with the word tears."""
    lines = ["song_id,title,artist,genre,year,lyrics,danceability,sadness"]
    for number in range(30):
        dance, tears = number % 4, number % 3
        # A word of its own, or the songs would be near-duplicates, which a split keeps together.
        words = " ".join(["dance all night"] * dance + ["tears in the rain"] * tears + [f"street{number}"])
        song_id = "my-song-42" if number == 4 else f"song-{number}"
        genre = ("pop", "rock", "jazz")[number % 3]
        lines.append(
            f"{song_id},Title {number},Artist {number % 10},{genre},{1980 + number},{words},{dance / 4},{tears / 3}"
        )
    (folder / "songs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every command of the block but `serve` has been run, in order."""
    folder = tmp_path_factory.mktemp("readme")
    write_songs(folder)
    for command in commands():
        assert command[0] == "songlike"
        if command[1] != "serve":
            run = run_there(folder, [str(BINARIES / "songlike"), *command[1:]])
            assert run.returncode == 0, f"{shlex.join(command)}: {run.stdout}\n{run.stderr}"
    return folder


def run_there(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    environment.pop("SONGLIKE_HOME", None)
    environment.pop("SONGLIKE_DATABASE_URL", None)
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_block_goes_the_whole_way(home: Path) -> None:
    assert (home / "songlike-data" / "indexes" / "current").is_file()
    shown = run_there(
        home, [str(BINARIES / "songlike"), "similar", "my-song-42", "--min", "danceability=0.4"]
    )
    assert "danceability" in shown.stdout
    assert "songs pass" in shown.stdout


def test_the_python_block_prints_at_most_five_neighbours(home: Path) -> None:
    run = run_there(home, [sys.executable, "-c", block("python")])
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.splitlines()) <= 5
    for line in run.stdout.splitlines():
        assert re.fullmatch(r"[01]\.\d{3}  Artist \d - Title \d+", line)


def test_the_server_answers_the_query_beside_serve(home: Path) -> None:
    query = re.search(r"GET (/similar\?\S+)", block("bash"))
    assert query
    server = subprocess.Popen([str(BINARIES / "songlike"), "serve", "--port", PORT], cwd=home)
    try:
        assert b"my-song-42" in answer_of(f"http://127.0.0.1:{PORT}{query.group(1)}")
    finally:
        server.terminate()
        server.wait(20)


def answer_of(url: str) -> bytes:
    for _ in range(300):
        try:
            with urlopen(url, timeout=10) as answer:  # noqa: S310 - a server of this test
                body: bytes = answer.read()
                return body
        except URLError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def test_every_command_stands_in_the_readme() -> None:
    tree = get_command(app)
    for name, command in tree.commands.items():  # type: ignore[attr-defined] # a group has commands
        for word in [name, *getattr(command, "commands", {})]:
            assert f"`{word}`" in README or f"songlike {word}" in README or f"{name} {word}" in README, word
