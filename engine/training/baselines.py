"""What a model has to beat: TF-IDF of the lyrics, with or without genre and year, and ridge regression."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack, spmatrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from engine.errors import TrainingDataError
from engine.lyrics import clean_lyrics
from engine.preprocessing import label_matrix
from engine.song import Song
from engine.vocabulary import GENRES, LabelSchema, normalise_genre


class TfidfRidge:
    """TF-IDF + ridge, one label at a time on the songs whose value is known (alpha 1, scikit-learn's default)."""

    def __init__(self, schema: LabelSchema, *, metadata: bool = False, alpha: float = 1.0) -> None:
        self.schema = schema
        self.metadata = metadata
        self.alpha = alpha

    def fit(self, songs: Sequence[Song]) -> "TfidfRidge":
        """Learn words and weights from training songs.

        Raises
        ------
        TrainingDataError
            When no word stands in two of them, or a label is known for none.
        """
        self.tfidf_ = TfidfVectorizer(min_df=2, sublinear_tf=True)
        try:
            self.tfidf_.fit([_words(song) for song in songs])
        except ValueError as error:  # scikit-learn's report of an empty vocabulary
            raise TrainingDataError(
                "the TF-IDF baseline needs lyrics: no word stands in two of the training songs"
            ) from error
        design, targets = self._design(songs), label_matrix(songs, self.schema)
        self.ridges_ = []
        for slug, column in zip(self.schema.slugs, targets.T, strict=True):
            known = np.flatnonzero(~np.isnan(column))
            if not len(known):
                raise TrainingDataError(f"no training song has a value for label {slug!r}; leave it out")
            self.ridges_.append(Ridge(alpha=self.alpha).fit(design[known], column[known]))
        return self

    def predict(self, songs: Sequence[Song]) -> NDArray[np.float64]:
        """Raw label values, (n, labels)."""
        design = self._design(songs)
        return np.stack([ridge.predict(design) for ridge in self.ridges_], axis=1)

    def _design(self, songs: Sequence[Song]) -> spmatrix:
        words = self.tfidf_.transform([_words(song) for song in songs])  # (n, words)
        if not self.metadata:
            return words
        genre = [[normalise_genre(song.genre) == genre for genre in GENRES] for song in songs]  # (n, genres)
        year = [[((song.year or 1985) - 1985) / 35] for song in songs]  # (n, 1), about -1..1
        return hstack([words, csr_matrix(np.hstack([genre, year]))]).tocsr()


def _words(song: Song) -> str:
    return clean_lyrics(song.lyrics or "")
