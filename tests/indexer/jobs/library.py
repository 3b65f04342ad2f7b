"""A small library of songs that the job tests import, change and build: a CSV file and short tones."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch

from engine.bundle_store import BundleStore
from engine.config import NetworkSettings, TextSettings, TrainingSettings
from engine.model_bundle import Model
from engine.network.song_network import SongNetwork
from engine.preprocessing import Preprocessor, Scalers
from engine.song import Song
from engine.text_encoder import load_text_encoder, load_tokenizer
from engine.vocabulary import GENRES, MODALITIES, Label, LabelSchema
from indexer.catalog import Catalog
from indexer.ingest.importer import ImportResult, import_path
from tests.tiny_encoder import TINY_WORDS

LABELS = LabelSchema((Label.named("sadness"), Label.named("danceability")))
SONGS = 30
CORRUPT, EMPTY, TWIN, TWIN_OF = "s03", "s07", "s12", "s00"
_FIELDS = ("song_id", "title", "artist", "genre", "year", "lyrics", "audio_path", *LABELS.slugs)

Row = dict[str, object]


class Library:
    """Rows by song id; what is changed in them reaches the catalogue by `import_into`."""

    def __init__(self, folder: Path, songs: int = SONGS, extra_labels: LabelSchema | None = None) -> None:
        self.folder = folder
        self.extra_labels = extra_labels
        self.rows = {f"s{number:02d}": song_row(number) for number in range(songs)}
        folder.mkdir()

    def with_audio(self) -> "Library":
        """Give every sixth song a tone; one is corrupt, one has the same content as another."""
        for number, song_id in enumerate(list(self.rows)):
            if number % 6 == 0:
                self.set_tone(song_id, 220.0 * 2 ** (number / 12))
        self.set_tone(TWIN, 220.0)
        (self.folder / f"{CORRUPT}.wav").write_bytes(b"this is no sound at all")
        self.rows[CORRUPT]["audio_path"] = f"{CORRUPT}.wav"
        return self

    def set_tone(self, song_id: str, pitch_hz: float) -> Path:
        """Write a song's audio file: a tone of one second."""
        path = self.path_of(song_id)
        seconds = np.arange(22050) / 22050
        soundfile.write(path, 0.5 * np.sin(2 * np.pi * pitch_hz * seconds), 22050)
        self.rows[song_id]["audio_path"] = path.name
        return path

    def path_of(self, song_id: str) -> Path:
        """Where a song's audio file is or would be."""
        return self.folder / f"{song_id}.wav"

    def import_into(self, catalog: Catalog) -> ImportResult:
        """Write the table and import it."""
        table = self.folder / "songs.csv"
        fields = (*_FIELDS, *(label.slug for label in self.extra_labels or ()))
        with table.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fields, restval="")
            writer.writeheader()
            writer.writerows(self.rows.values())
        return import_path(catalog, table, self.extra_labels)


def song_row(number: int) -> Row:
    """One song; every fifth lacks lyrics, others genre or year, and one has nothing to read at all."""
    rng = np.random.default_rng(number)
    row: Row = {"song_id": f"s{number:02d}", "title": f"Title {number}", "artist": f"Artist {number // 2}"}
    row |= {"sadness": round(float(rng.random()), 3), "danceability": round(float(rng.random()), 3)}
    if row["song_id"] == EMPTY:
        return row
    if number % 5 != 4:
        row["lyrics"] = " ".join(rng.choice(TINY_WORDS, size=12 + 3 * number))
    if number % 4:
        row["genre"] = GENRES[number % len(GENRES)]
    if number % 7:
        row["year"] = 1960 + number
    return row


def network_settings(encoder: Path, **changes: object) -> NetworkSettings:
    """The smallest network on the tiny text encoder."""
    settings: dict[str, object] = {
        "text": TextSettings(source=str(encoder), pooling="mean", tuning="frozen", window_tokens=32),
        "audio_width": 4,
        "metadata_width": 4,
        "projection_width": 8,
        "vector_width": 8,
        "head_width": 8,
    }
    return NetworkSettings.model_validate(settings | changes)


def publish_random_model(
    models: BundleStore,
    encoder: Path,
    *,
    seed: int = 0,
    modalities: Sequence[str] = MODALITIES,
    note: Mapping[str, object] | None = None,
) -> str:
    """Publish an untrained network of random weights; returns its id. ``note`` goes into its report alone."""
    settings = network_settings(encoder)
    examples = [
        Song("a", year=1950, audio=np.zeros(22), labels={"sadness": 0.2, "danceability": 0.3}),
        Song("b", year=2020, audio=np.arange(22.0), labels={"sadness": 0.9, "danceability": 0.7}),
    ]
    preprocessor = Preprocessor(
        load_tokenizer(str(encoder)),
        Scalers.fit(examples, LABELS),
        genres=GENRES,
        schema=LABELS,
        window_tokens=settings.text.window_tokens,
        modalities=modalities,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SongNetwork(
            load_text_encoder(settings.text), settings, genres=len(GENRES), labels=len(LABELS)
        )
    model = Model(network.eval(), preprocessor, settings, TrainingSettings(), dict(note or {}), "no data")
    path = model.save(models)
    models.publish(path.name)
    return path.name
