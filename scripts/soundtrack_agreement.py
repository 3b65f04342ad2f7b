"""How often is a song's nearest neighbour from the same folder? Against chance, and against the raw features.

    .venv/bin/python scripts/soundtrack_agreement.py HOME FOLDER

HOME holds a catalogue with a published index of the audio below FOLDER; each folder directly below FOLDER is one
soundtrack. "Raw features" are the 22 audio features, standardised over these songs, compared by cosine.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.audio import FEATURE_VERSION
from indexer.catalog import open_catalog
from indexer.search.current import CurrentIndex


def main(home: Path, folder: Path) -> None:
    """Print precision@1 and @5 of the index and of the raw features, and chance."""
    index = CurrentIndex(home / "indexes").get()
    soundtracks: list[str] = []
    vectors: list[NDArray[np.float32]] = []
    features: list[NDArray[np.float64]] = []
    with open_catalog(f"sqlite:///{home / 'catalog.db'}") as catalog:
        for records in catalog.songs.stream():
            audio = catalog.features.of_songs([r.key for r in records if r.key is not None], FEATURE_VERSION)
            for record in records:
                vector = index.vector_of(record.song_id)
                if vector is None or record.audio_path is None or record.key not in audio:
                    continue
                soundtracks.append(Path(record.audio_path).relative_to(folder.resolve()).parts[0])
                vectors.append(vector)
                features.append(audio[record.key][1])
    names = np.array(soundtracks)
    raw = np.array(features)
    standardised = (raw - raw.mean(axis=0)) / np.maximum(raw.std(axis=0), 1e-9)
    same = names[:, None] == names[None, :]
    chance = (same.sum() - len(names)) / (len(names) * (len(names) - 1))
    print(f"{len(names)} songs of {len(set(soundtracks))} soundtracks, chance {chance:.3f}")
    for title, matrix in (("index", np.array(vectors)), ("raw features", standardised)):
        first, five = (precision(matrix, same, k) for k in (1, 5))
        print(f"{title:<13} precision@1 {first:.3f}  precision@5 {five:.3f}")


def precision(matrix: NDArray[np.floating], same: NDArray[np.bool_], k: int) -> float:
    """Mean share of the k nearest rows by cosine, the row itself left out, that are of the same soundtrack."""
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(same, nearest, axis=1).mean())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
