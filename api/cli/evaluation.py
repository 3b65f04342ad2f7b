"""Reports of a model as tables, and the file that names the songs which may judge."""

from pathlib import Path
from typing import Any

from api.cli.output import print_table, say
from engine.errors import InputError

_METRICS = ("r2", "mae", "spearman", "mean_predictor_r2", "mean_predictor_mae")


def read_ids(path: Path | None) -> frozenset[str] | None:
    """Song ids of a text file, one per line; None when no file is given.

    Raises
    ------
    InputError
        When the file cannot be read, is not UTF-8, or names no song.
    """
    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"--judge-only {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"--judge-only {path} is not a UTF-8 text file") from None
    ids = frozenset(line.strip() for line in lines) - {""}
    if not ids:
        raise InputError(f"--judge-only {path} names no song; write one song_id per line")
    return ids


def print_evaluation(result: dict[str, Any]) -> None:
    """The result of `evaluate_model`: a row per label and the means, then each baseline's R2 beside it."""
    baselines: dict[str, dict[str, Any]] = result.get("baselines", {})
    say(f"Model {result['model_id']} on {result['songs']:,} songs by artists that training never saw.")
    columns = (
        "label",
        "songs",
        *(_words(name) for name in _METRICS),
        *(f"{_words(n)} r2" for n in baselines),
    )
    rows = [
        [slug, row["songs"], *(row[name] for name in _METRICS), *_baseline_r2(baselines, slug)]
        for slug, row in result["labels"].items()
    ]
    means = [result.get(f"mean_{name}") for name in _METRICS]
    rows.append(["mean", result["songs"], *means, *(part.get("mean_r2") for part in baselines.values())])
    print_table(columns, rows, right=columns[1:])


def _baseline_r2(baselines: dict[str, dict[str, Any]], slug: str) -> list[float | None]:
    return [part["labels"].get(slug, {}).get("r2") for part in baselines.values()]


def _words(name: str) -> str:
    return name.replace("_", " ")
