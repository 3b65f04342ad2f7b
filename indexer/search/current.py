"""CurrentIndex: the published index, replaced under running readers when a new one is published."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from engine.errors import BundleError, ModelMismatchError, NothingPublishedError, SonglikeError
from indexer.search.bundle import index_store, load_index
from indexer.search.faiss_index import FaissIndex

RETRY_S = 10.0  # seconds until a bundle that could not be opened is tried again


class CurrentIndex:
    """The index that ``current`` in folder ``root`` names; safe to share between threads.

    Every call reads that small file. When it names another bundle, one thread opens it while the others go on
    with the old one; then one attribute is swapped. A reader keeps the object it got: hold it for a whole
    request, so that its answers are of one index. A new bundle that cannot be opened leaves the old one in
    place and is told by `problem`.

    ``knows_model`` says whether the catalogue has vectors of a model id; by default every model is accepted.
    """

    def __init__(self, root: Path, knows_model: Callable[[str], bool] | None = None) -> None:
        self._store = index_store(root)
        self._knows_model = knows_model
        self._opening = threading.Lock()
        self._index: FaissIndex | None = None
        self._opened: FaissIndex | None = None  # the last one read, accepted or not
        self._refused: tuple[Path, float, BundleError] | None = None  # what, until when, why
        self._problem: str | None = None

    @property
    def problem(self) -> str | None:
        """Why the published index is not the one that `get` last answered; None when it is."""
        return self._problem

    def get(self) -> FaissIndex:
        """The published index.

        Raises
        ------
        NothingPublishedError
            When no index has been published yet.
        BundleError
            When the published one is damaged or foreign and no earlier one has been opened here.
        ModelMismatchError
            When its vectors are of a model that the catalogue does not know.
        """
        index = self._index
        try:
            path = self._store.current()
        except (SonglikeError, OSError) as error:
            return self._keep(index, error)
        if index is not None and index.info.version == path.name:
            self._problem = None
            return index
        # Whoever has nothing to answer with waits; the others let one thread open the new index.
        if index is not None and not self._opening.acquire(blocking=False):
            return index
        if index is None:
            self._opening.acquire()
        try:
            return self._open(path)
        except (SonglikeError, OSError) as error:
            return self._keep(self._index, error)
        finally:
            self._opening.release()

    def _open(self, path: Path) -> FaissIndex:
        """Open what is published now, unless another thread has done so meanwhile."""
        while True:
            try:
                index = self._accepted(path)
            except BundleError:
                # It may have been removed because a newer one was published after its name was read.
                if (newer := self._store.current()) == path:
                    raise
                path = newer
                continue
            self._index, self._problem = index, None
            return index

    def _accepted(self, path: Path) -> FaissIndex:
        """Open a bundle, once while it stays published, and check that its model is known."""
        if self._opened is None or self._opened.info.version != path.name:
            self._opened = self._loaded(path)
        model_id = self._opened.info.model_id
        if self._knows_model is not None and not self._knows_model(model_id):
            raise ModelMismatchError(
                f"index {path.name} holds vectors of model {model_id}, which this catalogue does not know; "
                "run `songlike index build`"
            )
        return self._opened

    def _loaded(self, path: Path) -> FaissIndex:
        """Read a bundle; one that was refused is not hashed again for every request."""
        now = time.monotonic()
        if self._refused is not None and self._refused[0] == path and now < self._refused[1]:
            raise self._refused[2]
        try:
            return load_index(path)
        except BundleError as error:
            self._refused = (path, now + RETRY_S, error)
            raise

    def _keep(self, index: FaissIndex | None, error: SonglikeError | OSError) -> FaissIndex:
        """Go on with the index there is, and remember why it is not the published one."""
        self._problem = str(error)
        if index is not None:
            return index
        if isinstance(error, NothingPublishedError):
            raise NothingPublishedError(
                "no index has been published yet; run `songlike index build`"
            ) from None
        if isinstance(error, OSError):
            raise BundleError(f"the published index in {self._store.root} cannot be read: {error}") from error
        raise error
