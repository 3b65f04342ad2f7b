"""Migrations of the catalogue's tables; ``indexer.catalog.open_catalog`` runs them."""
