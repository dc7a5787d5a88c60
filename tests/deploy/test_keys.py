"""The keys that a deployment makes for itself."""

import pytest

from deploy import keys


@pytest.fixture(autouse=True)
def volumes(tmp_path, monkeypatch):
    for name in ("SECRET_KEY", "DATABASE_URL", "POSTGRES_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "keys").mkdir()
    (tmp_path / "password").mkdir()
    monkeypatch.setattr(keys, "KEYS", tmp_path / "keys")
    monkeypatch.setattr(keys, "PASSWORD", tmp_path / "password/database")
    monkeypatch.setattr(keys, "PEER", tmp_path / "peer/password")


def made():
    keys.main()
    files = [*keys.KEYS.iterdir(), keys.PASSWORD]
    return {file.name: file.read_text() for file in files}


def test_each_deployment_has_keys_of_its_own_and_keeps_them():
    first = made()
    assert min(len(first["secret_key"]), len(first["database"])) >= 40
    assert first["database_url"] == f"postgres://backoffice:{first['database']}@db:5432/backoffice"
    assert made() == first
    for file in keys.KEYS.iterdir():
        file.unlink()
    assert made()["secret_key"] != first["secret_key"]


def test_a_pair_has_a_password_more():
    keys.main()
    keys.PEER.parent.mkdir()
    keys.main("pair")
    assert len(keys.PEER.read_text()) >= 40


def test_what_is_given_is_taken(monkeypatch):
    made()
    monkeypatch.setenv("SECRET_KEY", "given")
    monkeypatch.setenv("POSTGRES_PASSWORD", "a/b@c")
    files = made()
    assert (files["secret_key"], files["database"]) == ("given", "a/b@c")
    assert files["pool_web_url"] == "postgres://backoffice:a%2Fb%40c@pool:6432/web"
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/x")
    assert made()["database_url"] == "postgres://elsewhere/x"


def test_only_the_program_reads_its_keys():
    made()
    assert {oct(file.stat().st_mode & 0o777) for file in keys.KEYS.iterdir()} == {"0o400"}
