"""The indexer knows where songs, features, vectors and indexes are kept, and how neighbours are found."""
