from pathlib import Path

import pytest
from sqlalchemy import make_url

from api.settings import Settings
from engine.errors import InputError


def test_environment_gives_the_settings_and_arguments_go_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLIKE_HOME", "from-env")
    monkeypatch.setenv("SONGLIKE_PORT", "9000")
    settings = Settings.load(home=Path("given"), host=None)
    assert (settings.home, settings.port, settings.host) == (Path("given"), 9000, "127.0.0.1")
    assert Settings.load().home == Path("from-env")


def test_an_empty_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLIKE_HOME", "")
    assert Settings.load().home == Path("songlike-data")


@pytest.mark.parametrize("folder", ["plain", "a b", "100%20", "q?x=1#y", "ü"])
def test_database_is_a_file_in_the_home_whatever_its_name(folder: str) -> None:
    url = make_url(Settings.load(home=Path("/data") / folder).database)
    assert url.database == f"/data/{folder}/catalog.db"


def test_password_is_never_shown() -> None:
    settings = Settings.load(database_url="postgresql://me:secret@host/db")
    assert settings.database == "postgresql://me:secret@host/db"
    assert "secret" not in repr(settings) + str(settings)


def test_value_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLIKE_PORT", "70000")
    with pytest.raises(InputError, match=r"SONGLIKE_PORT cannot be used: .*65535"):
        Settings.load()


def test_tilde_is_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Settings.load(home=Path("~/music")).home == Path("/home/somebody/music")


def test_address_replaces_only_what_is_given() -> None:
    settings = Settings.load(host="h", port=1)
    assert (settings.with_address(None, 2).host, settings.with_address(None, 2).port) == ("h", 2)
    assert (settings.with_address("x", None).host, settings.with_address("x", None).port) == ("x", 1)
