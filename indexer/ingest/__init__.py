"""Ingest: tables and folders of the user's in, songs of the catalogue and a reject report out."""
