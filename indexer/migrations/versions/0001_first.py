"""The first tables.

Types are written out here and not taken from ``indexer.catalog.schema``: a published revision never changes,
the schema does.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SORTED_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON(none_as_null=True)
TIME = sa.DateTime(timezone=True)


def _needed(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _song_key(table: str) -> tuple[sa.Column[Any], sa.ForeignKeyConstraint]:
    name = f"fk_{table}_song_key_songs"
    reference = sa.ForeignKeyConstraint(["song_key"], ["songs.key"], name, ondelete="CASCADE")
    return _needed("song_key", KEY), reference


def upgrade() -> None:
    _create_songs()
    _create_audio()
    _create_vectors()
    _create_imports()
    _create_jobs()


def downgrade() -> None:
    for table in ("index_builds", "errors", "rejects", "imports", "embeddings", "models", "audio_features"):
        op.drop_table(table)
    for table in ("audio_files", "label_columns", "lyrics", "songs"):
        op.drop_table(table)


def _create_songs() -> None:
    op.create_table(
        "songs",
        _needed("key", KEY),
        _needed("song_id", SORTED_TEXT),
        sa.Column("title", sa.Text()),
        sa.Column("artist", sa.Text()),
        sa.Column("album", sa.Text()),
        sa.Column("genre", sa.Text()),
        sa.Column("year", sa.Integer()),
        sa.Column("labels", JSON),
        sa.Column("audio_path", sa.Text()),
        _needed("search_text", SORTED_TEXT),
        _needed("row_hash", sa.Text()),
        _needed("source", sa.Text()),
        _needed("updated_at", TIME),
        sa.PrimaryKeyConstraint("key", name="pk_songs"),
        sa.UniqueConstraint("song_id", name="uq_songs_song_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lyrics",
        *_song_key("lyrics"),
        _needed("text", sa.Text()),
        _needed("text_hash", sa.Text()),
        sa.PrimaryKeyConstraint("song_key", name="pk_lyrics"),
    )
    op.create_table(
        "label_columns",
        _needed("slug", sa.Text()),
        _needed("position", sa.Integer()),
        _needed("name", sa.Text()),
        _needed("minimum", sa.Double()),
        _needed("maximum", sa.Double()),
        sa.PrimaryKeyConstraint("slug", name="pk_label_columns"),
    )


def _create_audio() -> None:
    op.create_table(
        "audio_files",
        *_song_key("audio_files"),
        _needed("content_hash", sa.Text()),
        _needed("size_bytes", sa.BigInteger()),
        _needed("modified_ns", sa.BigInteger()),
        sa.PrimaryKeyConstraint("song_key", name="pk_audio_files"),
    )
    op.create_index("ix_audio_files_content_hash", "audio_files", ["content_hash"])
    op.create_table(
        "audio_features",
        _needed("content_hash", sa.Text()),
        _needed("feature_version", sa.Text()),
        _needed("features", sa.LargeBinary()),
        _needed("duration_s", sa.Double()),
        _needed("flags", JSON),
        sa.PrimaryKeyConstraint("content_hash", "feature_version", name="pk_audio_features"),
    )


def _create_vectors() -> None:
    op.create_table(
        "models",
        _needed("key", KEY),
        _needed("model_id", sa.Text()),
        _needed("dimension", sa.Integer()),
        _needed("labels", JSON),
        _needed("created_at", TIME),
        sa.PrimaryKeyConstraint("key", name="pk_models"),
        sa.UniqueConstraint("model_id", name="uq_models_model_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "embeddings",
        _needed("model_key", KEY),
        *_song_key("embeddings"),
        _needed("input_hash", sa.Text()),
        _needed("vector", sa.LargeBinary()),
        _needed("labels", sa.LargeBinary()),
        _needed("coverage", JSON),
        sa.ForeignKeyConstraint(
            ["model_key"], ["models.key"], "fk_embeddings_model_key_models", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_key", "song_key", name="pk_embeddings"),
    )
    op.create_index("ix_embeddings_song_key", "embeddings", ["song_key"])


def _create_imports() -> None:
    op.create_table(
        "imports",
        _needed("key", KEY),
        _needed("source", sa.Text()),
        _needed("started_at", TIME),
        sa.Column("finished_at", TIME),
        _needed("added", sa.Integer()),
        _needed("updated", sa.Integer()),
        _needed("unchanged", sa.Integer()),
        _needed("rejected", sa.Integer()),
        sa.PrimaryKeyConstraint("key", name="pk_imports"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "rejects",
        _needed("key", KEY),
        _needed("import_key", KEY),
        sa.Column("line", sa.BigInteger()),
        _needed("location", sa.Text()),
        _needed("field", sa.Text()),
        _needed("value", sa.Text()),
        _needed("reason", sa.Text()),
        sa.ForeignKeyConstraint(
            ["import_key"], ["imports.key"], "fk_rejects_import_key_imports", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_rejects"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rejects_import_key", "rejects", ["import_key"])


def _create_jobs() -> None:
    op.create_table(
        "errors",
        *_song_key("errors"),
        _needed("stage", sa.Text()),
        _needed("reason", sa.Text()),
        _needed("input_hash", sa.Text()),
        _needed("code_version", sa.Text()),
        _needed("attempts", sa.Integer()),
        _needed("last_at", TIME),
        sa.PrimaryKeyConstraint("song_key", "stage", name="pk_errors"),
    )
    op.create_table(
        "index_builds",
        _needed("key", KEY),
        _needed("model_key", KEY),
        _needed("state", sa.Text()),
        _needed("stage", sa.Text()),
        _needed("done", sa.Integer()),
        _needed("total", sa.Integer()),
        _needed("started_at", TIME),
        _needed("updated_at", TIME),
        sa.Column("version", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.ForeignKeyConstraint(["model_key"], ["models.key"], "fk_index_builds_model_key_models"),
        sa.PrimaryKeyConstraint("key", name="pk_index_builds"),
        sqlite_autoincrement=True,
    )
