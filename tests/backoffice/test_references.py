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


@pytest.mark.parametrize("name", ["SYNC_A", "BACKOFFICE_SECRET_A", "DEMO_REMOTE_PASSWORD"])
def test_a_variable_set_aside_for_references_is_read(monkeypatch, name):
    monkeypatch.setenv(name, "s3cret")
    validate(f"env:{name}")
    assert resolve(f"env:{name}") == "s3cret"


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "PATH", "sync_a", "XSYNC_A"])
def test_no_other_variable_is_read(monkeypatch, name):
    monkeypatch.setenv(name, "s3cret")
    cure = r"must begin with SYNC_ or BACKOFFICE_SECRET_ or DEMO_ \(setting SECRET_REFERENCE_PREFIXES\)"
    with pytest.raises(ValidationError, match=cure):
        validate(f"env:{name}")
    with pytest.raises(UnresolvedError, match=cure):
        resolve(f"env:{name}")


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "BACKOFFICE_ADMIN_PASSWORD"])
def test_the_programs_own_secrets_are_not_read_whatever_the_settings_say(settings, monkeypatch, name):
    settings.SECRET_REFERENCE_PREFIXES = ["SECRET_", "DATABASE_", "BACKOFFICE_"]
    monkeypatch.setenv(name, "s3cret")
    with pytest.raises(UnresolvedError, match="may not be read"):
        resolve(f"env:{name}")


def test_a_file_in_a_folder_set_aside_is_read(folder):
    (folder / "a").write_text("s3cret\n")
    (folder / "link").symlink_to("a")
    validate(f"file:{folder}/a")
    assert [resolve(f"file:{folder}/{name}") for name in ("a", "link")] == ["s3cret", "s3cret"]


@pytest.mark.parametrize("path", ["{}/../outside", "{}/link", "{}/away/outside", "/etc/passwd", "{}else"])
def test_no_other_file_is_read(folder, path):
    (folder / "link").symlink_to(folder.parent / "outside")
    (folder / "away").symlink_to(folder.parent)
    reference = f"file:{path.format(folder)}"
    for refuse, error in ((validate, ValidationError), (resolve, UnresolvedError)):
        with pytest.raises(error, match="SECRET_REFERENCE_FOLDERS"):
            refuse(reference)


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


def test_a_path_with_a_nul_is_not_a_reference(folder):
    with pytest.raises(ValidationError, match="Give where the secret is"):
        validate(f"file:{folder}/a\0")
