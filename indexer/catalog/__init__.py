"""The catalogue: SQL tables, the source of truth for songs, features, vectors and predicted labels.

``with open_catalog("sqlite:///catalog.db") as catalog: ...`` gives every table its own small object:
``catalog.songs``, ``.imports``, ``.features``, ``.embeddings``, ``.ledger``, ``.builds``.
"""

from indexer.catalog.catalog import Catalog, open_catalog

__all__ = ["Catalog", "open_catalog"]
