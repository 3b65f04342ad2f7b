"""Settings of the faces: where songlike keeps its things, and where it listens. Built once, at the edge."""

from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.errors import InputError

_PREFIX = "SONGLIKE_"


class Settings(BaseSettings):
    """Where things are. Each field is read from ``SONGLIKE_<NAME>`` unless it is given.

    ``home`` holds the catalogue's SQLite file, ``models/`` and ``indexes/``. ``database_url`` names another
    database; it may carry a password and is never shown.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True)

    home: Path = Path("songlike-data")
    database_url: SecretStr | None = None
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)

    @field_validator("home")
    @classmethod
    def _without_tilde(cls, home: Path) -> Path:
        return home.expanduser()

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Settings from the environment; what is given and not None goes before it.

        Raises
        ------
        InputError
            Naming the setting whose value cannot be used.
        """
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = "_".join(str(part) for part in first["loc"]).upper()
            raise InputError(f"{_PREFIX}{name} cannot be used: {first['msg']}; mend or unset it") from None

    def with_address(self, host: str | None, port: int | None) -> Self:
        """The same settings, listening elsewhere; None leaves what is there."""
        return self.model_copy(
            update={"host": self.host if host is None else host, "port": self.port if port is None else port}
        )

    @property
    def database(self) -> str:
        """URL of the catalogue's database, password included."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{quote(str(self.database_file))}"

    @property
    def database_file(self) -> Path:
        """Where the SQLite file is, when no other database is named."""
        return self.home / "catalog.db"

    @property
    def models(self) -> Path:
        """Folder of the model bundles."""
        return self.home / "models"

    @property
    def indexes(self) -> Path:
        """Folder of the index bundles."""
        return self.home / "indexes"
