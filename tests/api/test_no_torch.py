import subprocess
import sys

from tests.api.small_home import SmallHome

_SERVE_ONE = """
import sys
from pathlib import Path
from fastapi.testclient import TestClient
from api.http.app import create_app
from api.settings import Settings

with TestClient(create_app(Settings.load(home=Path(sys.argv[1])))) as client:
    answer = client.get("/similar?song_id=s010&min_danceability=0.1")
    assert answer.status_code == 200, answer.text
    assert client.get("/songs/s010").status_code == 200
heavy = {"torch", "transformers", "peft", "librosa", "sklearn", "scipy", "pyarrow"} & set(sys.modules)
print(len(answer.json()["neighbours"]), sorted(heavy))
"""


def test_server_answers_without_torch(small_home: SmallHome) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SERVE_ONE, str(small_home.settings.home)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "10 []\n", done.stderr
