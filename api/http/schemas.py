"""Shapes of the answers, over HTTP and of the command line's ``--json`` alike."""

from datetime import datetime
from typing import Annotated, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from indexer.catalog.records import SongRecord
from indexer.search.port import IndexInfo, SearchIndex
from indexer.search.similar import SIMILARITY_DEFINITION, SimilarAnswer
from indexer.search.terms import range_parameters

# Labels are kept in single precision; the shortest text that reads back as the same value: 0.6, not 0.6000000238.
Single = Annotated[float, AfterValidator(lambda value: float(str(np.float32(value))))]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class SongOut(_Answer):
    """What a list of songs shows of each."""

    song_id: str
    title: str | None
    artist: str | None
    album: str | None
    genre: str | None
    year: int | None


class SongPage(_Answer):
    """One page of songs, in order of title and artist."""

    songs: list[SongOut]
    next_offset: int | None = Field(description="Offset of the next page; null when this is the last one.")


class Predicted(_Answer):
    """What the published index holds of a song."""

    model_id: str
    index_version: str
    labels: dict[str, Single | None] = Field(description="Predicted labels by slug; null where unknown.")
    based_on: list[str] = Field(
        description="What the vector is made from: of lyrics, audio, genre and year those the song has."
    )


class SongDetail(SongOut):
    """A song of the catalogue."""

    has_lyrics: bool
    has_audio: bool = Field(description="Whether the catalogue names an audio file of this song.")
    labels: dict[str, float] = Field(description="Label values that were imported with the song, by slug.")
    predicted: Predicted | None = Field(description="Null when no index is published, or it lacks the song.")

    @classmethod
    def of(cls, record: SongRecord, index: SearchIndex | None) -> Self:
        """The song, and what the index adds to it."""
        indexed = index.attributes_of(record.song_id) if index is not None else None
        predicted = None
        if index is not None and indexed is not None:
            predicted = Predicted(
                model_id=index.info.model_id,
                index_version=index.info.version,
                labels=indexed.labels,
                based_on=list(indexed.coverage),
            )
        return cls(
            **SongOut.model_validate(record).model_dump(),
            has_lyrics=bool(record.lyrics),
            has_audio=record.audio_path is not None,
            labels=record.labels,
            predicted=predicted,
        )


class SeedOut(SongOut):
    """The song that was asked about."""

    based_on: list[str] = Field(description="What its vector is made from.")


class NeighbourOut(SongOut):
    """A song like the seed."""

    similarity: float = Field(ge=0, le=1, description=SIMILARITY_DEFINITION)
    labels: dict[str, Single | None] = Field(description="Predicted labels by slug; null where unknown.")
    based_on: list[str] = Field(description="What its vector is made from.")


class SimilarOut(_Answer):
    """Songs like one song, nearest first."""

    seed: SeedOut
    model_id: str
    index_version: str
    similarity_definition: str
    filter: str = Field(description="The filter in its canonical spelling; empty when there is none.")
    passing: int = Field(description="How many songs pass the filter, the seed not counted.")
    dropped: dict[str, int] = Field(
        description="How many more songs would pass without this one term, by the term's canonical spelling."
    )
    neighbours: list[NeighbourOut]

    @classmethod
    def of(cls, answer: SimilarAnswer) -> Self:
        """The answer as it is sent."""
        return cls(
            seed=SeedOut(**SongOut.model_validate(answer.seed).model_dump(), based_on=list(answer.based_on)),
            model_id=answer.model_id,
            index_version=answer.index_version,
            similarity_definition=SIMILARITY_DEFINITION,
            filter=answer.where.text,
            passing=answer.passing,
            dropped=answer.dropped,
            neighbours=[NeighbourOut.model_validate(neighbour) for neighbour in answer.neighbours],
        )


class LabelOut(_Answer):
    """A label that songs can be filtered by."""

    name: str
    slug: str
    minimum: float
    maximum: float
    parameters: list[str] = Field(description="The two parameters of GET /similar that bound it.")
    percentiles: dict[str, float] = Field(
        description="Predicted values in this catalogue, by percentile; empty when no song has the label."
    )


class LabelsOut(_Answer):
    """The labels of the published index."""

    model_id: str
    index_version: str
    songs: int
    labels: list[LabelOut]

    @classmethod
    def of(cls, info: IndexInfo) -> Self:
        """Labels of an index, in schema order."""
        labels = [
            LabelOut(
                name=label.name,
                slug=label.slug,
                minimum=label.minimum,
                maximum=label.maximum,
                parameters=list(range_parameters(label.slug)),
                percentiles={str(at): value for at, value in info.label_percentiles[label.slug].items()},
            )
            for label in info.labels
        ]
        return cls(model_id=info.model_id, index_version=info.version, songs=info.songs, labels=labels)


class Alive(_Answer):
    """The process answers."""

    status: str = "alive"


class Ready(_Answer):
    """The server answers queries, from this index."""

    status: str = "ready"
    model_id: str
    index_version: str
    songs: int
    created_at: datetime
    newest: bool = Field(
        description="Whether this is the index that is published; false while a newer one cannot be opened."
    )
