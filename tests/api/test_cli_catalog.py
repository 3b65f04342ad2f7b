import csv
import io
import json
from pathlib import Path

import pytest

from api.cli.catalog import parse_label
from engine.errors import InputError
from engine.vocabulary import Label
from tests.api.command import songlike

TABLE = """song_id,title,artist,genre,year,danceability,valence
a,One,Anna,pop,1990,0.5,3
b,Two,Ben,,,0.7,-4
c,Three,Cleo,rock,soon,0.1,0
d,Four,Dora,rock,2000,7,0
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "songs.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_import_counts_and_repeats_without_change(tmp_path: Path, table: Path) -> None:
    home = tmp_path / "home"
    first = songlike(home, "catalog", "import", table, "--json")
    assert first.exit_code == 0
    counts = json.loads(first.stdout)
    assert (counts["added"], counts["updated"], counts["unchanged"], counts["rejected"]) == (2, 0, 0, 2)
    again = json.loads(songlike(home, "catalog", "import", table, "--json").stdout)
    assert (again["added"], again["updated"], again["unchanged"], again["rejected"]) == (0, 0, 2, 2)
    assert "import: 4/4" in first.stderr


def test_import_for_people_points_to_the_rejects(tmp_path: Path, table: Path) -> None:
    result = songlike(tmp_path, "catalog", "import", table)
    assert result.stdout == (
        "2 added, 0 updated, 0 unchanged.\n2 rows were not taken; `songlike catalog rejects` says why.\n"
    )


def test_own_label_is_taken_with_its_range(tmp_path: Path, table: Path) -> None:
    songlike(tmp_path, "catalog", "import", table, "--label", "valence:-5:5")
    stats = json.loads(songlike(tmp_path, "catalog", "stats", "--json").stdout)
    assert stats["labels"] == {"danceability": 2, "valence": 2}
    assert (stats["songs"], stats["year_min"], stats["genres"]) == (2, 1990, {"pop": 1})


@pytest.mark.parametrize("shape", [(), ("--json",)])
def test_an_import_that_took_no_row_is_1(tmp_path: Path, shape: tuple[str, ...]) -> None:
    table = tmp_path / "bad.csv"
    table.write_text("song_id,year\na,soon\nb,later\n", encoding="utf-8")
    assert songlike(tmp_path / "home", "catalog", "import", table, *shape).exit_code == 1


def test_stats_for_people(tmp_path: Path, table: Path) -> None:
    songlike(tmp_path, "catalog", "import", table)
    lines = [line.split() for line in songlike(tmp_path, "catalog", "stats").stdout.splitlines()]
    assert ["songs", "2"] in lines
    assert ["year", "min", "1990"] in lines
    assert ["genres", "pop", "1"] in lines


def test_rejects_as_table_json_and_csv(tmp_path: Path, table: Path) -> None:
    songlike(tmp_path, "catalog", "import", table)
    rejects = json.loads(songlike(tmp_path, "catalog", "rejects", "--json").stdout)
    assert [(reject["line"], reject["field"], reject["value"]) for reject in rejects] == [
        (4, "year", "soon"),
        (5, "danceability", "7"),
    ]
    rows = list(csv.DictReader(io.StringIO(songlike(tmp_path, "catalog", "rejects", "--csv").stdout)))
    assert [(int(row["line"]), row["reason"]) for row in rows] == [(r["line"], r["reason"]) for r in rejects]
    shown = songlike(tmp_path, "catalog", "rejects").stdout
    assert all(reject["reason"] in shown for reject in rejects)
    assert len(json.loads(songlike(tmp_path, "catalog", "rejects", "--limit", "1", "--json").stdout)) == 1
    assert len(json.loads(songlike(tmp_path, "catalog", "rejects", "--limit", "0", "--json").stdout)) == 2


def test_rejects_of_an_import_that_was_not(tmp_path: Path, table: Path) -> None:
    songlike(tmp_path, "catalog", "import", table)
    assert songlike(tmp_path, "catalog", "rejects", "--import", "1").exit_code == 0
    result = songlike(tmp_path, "catalog", "rejects", "--import", "2")
    assert (result.exit_code, result.stderr) == (3, "songlike: there is no import 2; the latest is 1\n")
    both = songlike(tmp_path, "catalog", "rejects", "--json", "--csv")
    assert both.exit_code == 2


def test_catalogue_without_rejects_says_so(tmp_path: Path, table: Path) -> None:
    table.write_text("song_id,title\na,One\n")
    songlike(tmp_path, "catalog", "import", table)
    assert songlike(tmp_path, "catalog", "rejects").stdout == "No row was refused.\n"
    assert songlike(tmp_path, "catalog", "rejects", "--json").stdout == "[]\n"


def test_file_that_is_no_table_is_2_and_one_sentence(tmp_path: Path) -> None:
    result = songlike(tmp_path, "catalog", "import", tmp_path / "nothing.csv")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("songlike: ")


@pytest.mark.parametrize(
    "command", [["catalog", "stats"], ["similar", "a"], ["index", "status"], ["model", "train"]]
)
def test_misspelt_home_is_3_and_no_new_catalogue(
    tmp_path: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.api.command import fake_job

    fake_job(monkeypatch, "training")
    result = songlike(tmp_path / "misspelt", *command)
    assert result.exit_code == 3
    assert "there is no catalogue in" in result.stderr
    assert not (tmp_path / "misspelt").exists()


def test_database_that_cannot_be_reached_is_4_without_its_password(tmp_path: Path) -> None:
    result = songlike(tmp_path, "--database", "mysql://me:secret@host/db", "catalog", "stats")
    assert result.exit_code == 4
    assert "secret" not in result.output


def test_setting_that_cannot_be_used_is_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLIKE_PORT", "many")
    result = songlike(tmp_path, "catalog", "stats")
    assert result.exit_code == 2
    assert "SONGLIKE_PORT" in result.stderr


def test_label_option() -> None:
    assert parse_label("valence") == Label("valence", "valence", 0, 1)
    assert parse_label("valence:-5:5") == Label("valence", "valence", -5, 5)
    assert parse_label("mood: bright:0:10") == Label("mood: bright", "mood_bright", 0, 10)


@pytest.mark.parametrize("text", ["a:1", "a:x:y", "a:1:1", "a:0:nan", "a:0:inf", ":0:1", "", "year"])
def test_bad_label_option(text: str) -> None:
    with pytest.raises(InputError):
        parse_label(text)
