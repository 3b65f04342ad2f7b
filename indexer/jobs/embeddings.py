"""Stage "embeddings": songs whose inputs changed -> vectors and predicted labels of one model."""

import json
from pathlib import Path
from typing import NamedTuple

from engine.encoder import SongEncoder
from engine.errors import InputError
from engine.model_card import ModelCard
from engine.preprocessing import SongNumbers
from indexer.catalog.catalog import Catalog
from indexer.catalog.embeddings import Embedding
from indexer.catalog.records import SongRecord, text_hash
from indexer.jobs.progress import ProgressCallback, StageClock, no_report

STAGE = "embeddings"
_BATCH = 256  # songs committed at a time: what a kill can cost


class _Waiting(NamedTuple):
    """A song whose stored vector, if any, is of other inputs."""

    key: int
    input_hash: str
    numbers: SongNumbers


class EmbeddingStage:
    """Embeds what one model has not embedded yet; the encoder is loaded when the first such song turns up."""

    def __init__(self, catalog: Catalog, bundle: Path, card: ModelCard, model_key: int) -> None:
        self.catalog = catalog
        self.bundle = bundle
        self.card = card
        self.model_key = model_key
        self._encoder: SongEncoder | None = None

    def run(self, *, retry_failed: bool = False, report: ProgressCallback = no_report) -> int:
        """Embed every song whose inputs changed, batch by batch; returns how many were embedded."""
        clock = StageClock(STAGE, self.catalog.songs.count(), report)
        known_errors = self.catalog.ledger.known(STAGE)
        embedded = 0
        for records in self.catalog.songs.stream(_BATCH):
            waiting = self._waiting(records, known_errors, retry_failed)
            self._embed(waiting)
            embedded += len(waiting)
            clock.advance(len(records), len(waiting))
        return embedded

    def _waiting(
        self, records: list[SongRecord], known_errors: dict[int, tuple[str, str]], retry_failed: bool
    ) -> list[_Waiting]:
        """Songs of a batch to embed; those with nothing to read go to the ledger and lose their old vector."""
        keyed = {record.key: record for record in records if record.key is not None}
        audio = self.catalog.features.of_songs(list(keyed), self.card.feature_version)
        stored = self.catalog.embeddings.hashes(self.model_key, list(keyed))
        waiting = []
        for key, record in keyed.items():
            content, values = audio.get(key, (None, None))
            inputs = _input_hash(record, content, self.card.feature_version)
            if stored.get(key) == inputs:
                if key in known_errors:  # of another model
                    self.catalog.ledger.clear(key, STAGE)
                continue
            if not retry_failed and known_errors.get(key) == (inputs, self.card.model_id):
                continue
            encoder = self._loaded_encoder()
            try:
                numbers = encoder.prepare(record.as_song(values))
            except InputError as error:
                self.catalog.embeddings.discard(self.model_key, [key])
                self.catalog.ledger.record(key, STAGE, str(error), inputs, self.card.model_id)
                continue
            if key in known_errors:
                self.catalog.ledger.clear(key, STAGE)
            waiting.append(_Waiting(key, inputs, numbers))
        return waiting

    def _embed(self, waiting: list[_Waiting]) -> None:
        if not waiting:
            return
        encoded = self._loaded_encoder().encode_numbers([song.numbers for song in waiting])
        self.catalog.embeddings.put(
            self.model_key,
            [
                Embedding(song.key, song.input_hash, vector, labels, coverage)
                for song, vector, labels, coverage in zip(
                    waiting, encoded.vectors, encoded.labels, encoded.coverage, strict=True
                )
            ],
        )

    def _loaded_encoder(self) -> SongEncoder:
        if self._encoder is None:
            self._encoder = SongEncoder.load(self.bundle)
        return self._encoder


def _input_hash(record: SongRecord, audio_content: str | None, feature_version: str) -> str:
    """Hash over all that the encoder reads of a song."""
    audio = None if audio_content is None else [audio_content, feature_version]
    return text_hash(json.dumps([record.lyrics, audio, record.genre, record.year]))
