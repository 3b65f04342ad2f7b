"""Every error that songlike raises on purpose, as one tree.

A message is one sentence or two: what is wrong, where, and how to mend it. ::

    SonglikeError
    ├── InputError              what was handed in is wrong; nothing was stored
    │   ├── AudioError          this audio file gives no features
    │   ├── TableError          this CSV or Parquet file cannot be imported at all
    │   ├── FilterError         a search term that cannot be used
    │   └── TrainingDataError   these songs cannot train a model
    ├── NotFoundError           what was named does not exist
    │   ├── UnknownSongError    no such song in the catalogue, or not in the index yet
    │   └── NothingPublishedError  no model or no index has been published yet
    ├── BundleError             a model or index bundle is damaged, foreign or of another version
    │   └── ModelMismatchError  vectors of two models would be mixed
    └── StoreError              the database or the disk cannot do what is asked
"""


class SonglikeError(Exception):
    """Base of every error that songlike raises on purpose; its text is meant for the user."""


class InputError(SonglikeError):
    """What was handed in is wrong; nothing was stored."""


class AudioError(InputError):
    """An audio file gives no features."""


class TableError(InputError):
    """A CSV or Parquet file cannot be imported at all."""


class FilterError(InputError):
    """A search term that cannot be used; ``parameter`` names it."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"{parameter}: {message}")
        self.parameter = parameter


class TrainingDataError(InputError):
    """These songs cannot train a model."""


class NotFoundError(SonglikeError):
    """What was named does not exist."""


class UnknownSongError(NotFoundError):
    """No such song in the catalogue, or not in the index yet."""


class NothingPublishedError(NotFoundError):
    """No model or no index has been published yet."""


class BundleError(SonglikeError):
    """A model or index bundle is damaged, foreign or of another version."""


class ModelMismatchError(BundleError):
    """Vectors of two models would be mixed."""


class StoreError(SonglikeError):
    """The database or the disk cannot do what is asked."""
