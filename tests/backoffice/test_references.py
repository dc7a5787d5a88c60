"""References to secrets reach only what was set aside for them."""

import pytest
from django.core.exceptions import ValidationError

from backoffice.kit.references import UnresolvedError, resolve, validate


@pytest.fixture
def folder(settings, tmp_path):
    """The one folder that references may reach; `outside` is a secret beside it."""
    settings.SECRET_REFERENCE_FOLDERS = [str(tmp_path / "secrets")]
    (tmp_path / "outside").write_text("not yours")
    (tmp_path / "secrets").mkdir()
    return tmp_path / "secrets"


def test_a_variable_set_aside_for_references_is_read(monkeypatch):
    monkeypatch.setenv("SYNC_A", "s3cret")
    validate("env:SYNC_A")
    assert resolve("env:SYNC_A") == "s3cret"


def refused(reference: str, why: str) -> None:
    """Both the form and the worker refuse the reference."""
    for refuse, error in ((validate, ValidationError), (resolve, UnresolvedError)):
        with pytest.raises(error, match=why):
            refuse(reference)


@pytest.mark.parametrize("name", ["PATH", "PGPASSWORD", "sync_a", "XSYNC_A", "DEMO_A"])
def test_no_other_variable_is_read(monkeypatch, name):
    monkeypatch.setenv(name, "s3cret")
    refused(f"env:{name}", r"must begin with SYNC_ \(setting SECRET_REFERENCE_PREFIXES\)")


@pytest.mark.parametrize(
    "name",
    [
        *("SECRET_KEY", "SECRET_KEY_FILE", "DATABASE_URL", "EMAIL_URL", "ALERT_WEBHOOK_SECRET", "SUMMARIZER_KEY"),
        *("TASKS_EXTERNAL_AUTHORIZATION", "SYNC_LEASE_SECONDS", "SYNC_LEASE_SECONDS_FILE"),
        *("BACKOFFICE_ADMIN_PASSWORD", "BACKOFFICE_SECRET_A"),
    ],
)
def test_what_the_settings_read_is_not_read_whatever_they_say(settings, monkeypatch, name):
    settings.SECRET_REFERENCE_PREFIXES = ["S", "D", "E", "A", "T", "B"]
    monkeypatch.setenv(name, "s3cret")
    refused(f"env:{name}", "it is a setting of this program. Put the target's secret into a variable of its own")


def test_a_file_in_a_folder_set_aside_is_read(folder):
    (folder / "a").write_text("s3cret\n")
    (folder / "link").symlink_to("a")
    validate(f"file:{folder}/a")
    assert [resolve(f"file:{folder}/{name}") for name in ("a", "link")] == ["s3cret", "s3cret"]


@pytest.mark.parametrize("path", ["{}/../outside", "{}/link", "{}/away/outside", "/etc/passwd", "{}else"])
def test_no_other_file_is_read(folder, path):
    (folder / "link").symlink_to(folder.parent / "outside")
    (folder / "away").symlink_to(folder.parent)
    refused(f"file:{path.format(folder)}", "SECRET_REFERENCE_FOLDERS")


@pytest.mark.parametrize("path", ["/run/secrets/database_url", "/run/secrets/sync/../secret_key"])
def test_secrets_beside_those_of_targets_are_not_read(path):
    refused(f"file:{path}", r"the file must lie in /run/secrets/sync or .*/secrets/sync \(setting")


@pytest.mark.parametrize("path", ["own", "./own", "in/../own", "symbolic", "hard", "in/symbolic"])
def test_a_file_that_settings_were_read_from_is_not_read_under_any_name(folder, settings, path):
    own = folder / "own"
    own.write_text("postgres://backoffice:s3cret@db/backoffice")
    (folder / "in").mkdir()
    (folder / "in/symbolic").symlink_to(own)
    (folder / "symbolic").symlink_to("own")
    (folder / "hard").hardlink_to(own)
    settings.SETTINGS_FILES = {folder / "gone", own}
    refused(f"file:{folder}/{path}", "settings of this program are in it. Put the target's secret into a file of its")


def test_a_file_of_the_settings_that_went_stays_out_of_reach(folder, settings):
    settings.SETTINGS_FILES = {folder / "in/../own"}
    refused(f"file:{folder}/own", "settings of this program are in it")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", "can't be read: Is a directory"),
        ("none", "can't be read: No such file"),
        ("latin", "is not UTF-8 text"),
        ("empty", "is empty"),
        ("nul\0", "is not a path"),
        ("circle", "can't be read|is not a path"),
    ],
)
def test_what_can_not_be_read_is_said(folder, name, message):
    (folder / "folder").mkdir()
    (folder / "latin").write_bytes(b"\xe9")
    (folder / "empty").write_text("\n")
    (folder / "circle").symlink_to("circle")
    with pytest.raises(UnresolvedError, match=message):
        resolve(f"file:{folder}/{name}")


def test_where_no_reference_is_kept_that_is_said():
    with pytest.raises(UnresolvedError, match="Enter where it is stored"):
        resolve("")


def test_a_path_with_a_nul_is_not_a_reference(folder):
    with pytest.raises(ValidationError, match="Give where the secret is"):
        validate(f"file:{folder}/a\0")
