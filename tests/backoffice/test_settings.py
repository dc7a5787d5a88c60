"""The settings refuse what is unsafe."""

import os
import re
import runpy
import subprocess
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
KEY = "0123456789" * 5
PRODUCTION = {"SECRET_KEY": KEY, "ALLOWED_HOSTS": "backoffice.example"}


def settings_with(folder: Path, environment: dict[str, str]) -> Any:
    """The settings as they are read with nothing else in the environment."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update({"BACKOFFICE_DOTENV": "", "BACKOFFICE_VAR": str(folder), **environment})
    try:
        return SimpleNamespace(**runpy.run_path(str(ROOT / "backoffice/settings.py")))
    finally:
        os.environ.clear()
        os.environ.update(before)


def refusal(folder: Path, environment: dict[str, str]) -> str:
    """All that the terminal shows where the settings refuse to be read."""
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_with(folder, environment)
    return "".join(traceback.format_exception(refused.value))


def test_production_is_the_default(tmp_path):
    read = settings_with(tmp_path, PRODUCTION)
    assert (read.MODE, read.DEBUG) == ("production", False)
    assert (read.SESSION_COOKIE_SECURE, read.SECURE_SSL_REDIRECT) == (True, True)
    assert read.PASSWORD_HASHERS[0] == "backoffice.kit.hashers.Argon2"


@pytest.mark.parametrize("mode", ["production", "development"])
@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ({}, "SECRET_KEY (or SECRET_KEY_FILE) is not set."),
        ({"SECRET_KEY": ""}, "SECRET_KEY (or SECRET_KEY_FILE) is not set."),
        ({"SECRET_KEY": "0123456789" * 3 + "012345678"}, "SECRET_KEY is shorter than 40 characters."),
        ({"SECRET_KEY": "change-me-" + KEY}, "SECRET_KEY is a sample value."),
        ({"SECRET_KEY": "Django-Insecure-" + KEY}, "SECRET_KEY is a sample value."),
        ({"SECRET_KEY_FILE": "/nowhere/key"}, "SECRET_KEY_FILE names /nowhere/key, which can't be read"),
    ],
    ids=["missing", "empty", "short", "sample", "django's sample", "unreadable file"],
)
def test_a_key_that_is_not_a_secret_is_refused(tmp_path, mode, key, reason):
    assert reason in refusal(tmp_path, {"BACKOFFICE_ENV": mode, "ALLOWED_HOSTS": "backoffice.example", **key})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is not set."),
        ({"BACKOFFICE_ENV": "staging"}, "BACKOFFICE_ENV is 'staging'"),
        ({"BACKOFFICE_NODE": "a b"}, "BACKOFFICE_NODE may hold letters"),
        ({"BACKOFFICE_COLOR": "mauve"}, "BACKOFFICE_COLOR is 'mauve'"),
        ({"DATABASE_URL_FILE": "/nowhere/url"}, "DATABASE_URL_FILE names /nowhere/url, which can't be read"),
        (
            {"TASKS_EXTERNAL_URL": "ftp://api.example"},
            "TASKS_EXTERNAL_URL is 'ftp://api.example': Give an address that",
        ),
        (
            {"SUMMARIZER_URL": "http://10.0.0.5/v1", "PRIVATE_NETWORKS": "10.1.0.0/16"},
            "SUMMARIZER_URL is 'http://10.0.0.5/v1': This is at 10.0.0.5, a private address; if that is meant, name",
        ),
        ({"ALERT_WEBHOOK_URL": "http://127.1/hook"}, "ALERT_WEBHOOK_URL: This is at 127.0.0.1, a private address"),
        ({"PRIVATE_NETWORKS": "10.0.0.1/8"}, "PRIVATE_NETWORKS holds '10.0.0.1/8'; write 10.0.0.0/8, or the prefix"),
        (
            {"PRIVATE_NETWORKS": "::1,localhost"},
            "PRIVATE_NETWORKS holds 'localhost', which is not a network: write 10.",
        ),
        ({"PRIVATE_NETWORKS": "0.0.0.0/0"}, "PRIVATE_NETWORKS holds '0.0.0.0/0', which is every address; write the"),
        ({"PRIVATE_NETWORKS": "true"}, "PRIVATE_NETWORKS holds 'true', which is not a network: write 10.0.0.0/8, fd00"),
        ({"TASKS_EXTERNAL_PAGING": "both"}, "TASKS_EXTERNAL_PAGING is 'both'; it may be 'page' or 'cursor'."),
        ({"SUMMARIZER_URL": "https://llm.example/v1"}, "SUMMARIZER_URL is set, SUMMARIZER_MODEL is not"),
        ({"SECRET_KEY_FALLBACKS": f"{KEY},short"}, "SECRET_KEY_FALLBACKS is shorter than 40 characters."),
        ({"SECURE_HSTS_PRELOAD": "true"}, "SECURE_HSTS_PRELOAD is set. Browsers preload only with SECURE_HSTS_INCLUDE"),
        (
            {"SECURE_HSTS_PRELOAD": "true", "SECURE_HSTS_INCLUDE_SUBDOMAINS": "true", "SECURE_HSTS_SECONDS": "60"},
            "SECURE_HSTS_SECONDS of at least 31536000.",
        ),
        ({"ALERT_EMAILS": "ops@example.com"}, "ALERT_EMAILS is set, EMAIL_URL is not"),
        ({"ALERT_EMAILS": "ops@example.com, ops"}, "ALERT_EMAILS holds 'ops', which is not an e-mail address."),
    ],
)
def test_production_refuses(tmp_path, change, reason):
    assert reason in refusal(tmp_path, {**PRODUCTION, **change})


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    hosts = {"ALLOWED_HOSTS": "backoffice.example"}
    assert settings_with(tmp_path, {**hosts, "SECRET_KEY_FILE": str(tmp_path / "key")}).SECRET_KEY == KEY


def test_any_setting_may_come_from_a_file_which_goes_before_the_variable(tmp_path):
    (tmp_path / "hosts").write_text("one.example,two.example\n")
    files = {"ALLOWED_HOSTS_FILE": str(tmp_path / "hosts")}
    assert settings_with(tmp_path, {**PRODUCTION, **files}).ALLOWED_HOSTS == ["one.example", "two.example"]


def test_older_secret_keys_may_come_from_a_file_with_one_in_each_line(tmp_path):
    (tmp_path / "keys").write_text(f"{KEY}1\n{KEY}2\n")
    for given in ({"SECRET_KEY_FALLBACKS_FILE": str(tmp_path / "keys")}, {"SECRET_KEY_FALLBACKS": f"{KEY}1, {KEY}2"}):
        keys = settings_with(tmp_path, {**PRODUCTION, **given}).SECRET_KEY_FALLBACKS
        assert keys == [f"{KEY}1", f"{KEY}2"]


def test_https_is_insisted_on_for_this_host_alone_unless_asked_for(tmp_path):
    read = settings_with(tmp_path, PRODUCTION)
    assert (read.SECURE_HSTS_SECONDS, read.SECURE_HSTS_INCLUDE_SUBDOMAINS, read.SECURE_HSTS_PRELOAD) == (
        31536000, False, False
    )  # fmt: skip
    both = {"SECURE_HSTS_INCLUDE_SUBDOMAINS": "true", "SECURE_HSTS_PRELOAD": "true"}
    assert settings_with(tmp_path, {**PRODUCTION, **both}).SECURE_HSTS_PRELOAD is True


def test_a_secret_that_begins_with_a_dollar_sign_is_not_the_name_of_a_variable(tmp_path):
    (tmp_path / "key").write_text("$HOME-of-the-summarizer")
    for given in ({"SUMMARIZER_KEY": "$HOME-of-the-summarizer"}, {"SUMMARIZER_KEY_FILE": str(tmp_path / "key")}):
        assert settings_with(tmp_path, {**PRODUCTION, **given}).SUMMARIZER_KEY == "$HOME-of-the-summarizer"


def test_a_file_that_is_not_text_is_refused_without_quoting_it(tmp_path):
    (tmp_path / "key").write_bytes(b"s3cret \xe9")
    said = refusal(tmp_path, {**PRODUCTION, "SECRET_KEY_FILE": str(tmp_path / "key")})
    assert "SECRET_KEY_FILE names" in said
    assert "s3cret" not in said


@pytest.mark.parametrize("mode", ["production", "development"])
def test_the_folder_of_the_data_is_closed_to_other_users_of_the_machine(tmp_path, mode):
    var = settings_with(tmp_path / "var", {**PRODUCTION, "BACKOFFICE_ENV": mode}).VAR_DIR
    assert oct(var.stat().st_mode) == "0o40700"


def test_the_private_networks_are_named(tmp_path):
    names = "10.0.0.0/8, ::1,192.168.7.5"
    read = settings_with(tmp_path, {**PRODUCTION, "PRIVATE_NETWORKS": names, "ALERT_WEBHOOK_URL": "http://10.0.0.5/"})
    assert list(map(str, read.PRIVATE_NETWORKS)) == ["10.0.0.0/8", "::1/128", "192.168.7.5/32"]
    assert settings_with(tmp_path, {**PRODUCTION, "PRIVATE_NETWORKS": ""}).PRIVATE_NETWORKS == []
    assert settings_with(tmp_path, PRODUCTION).PRIVATE_NETWORKS == []


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("smtp+tls://store:s%40cret@mail.example", ("mail.example", 587, "store", "s@cret", True)),
        ("smtp+ssl://mail.example", ("mail.example", 465, None, None, False)),
        ("smtp://mail.example:2525", ("mail.example", 2525, None, None, False)),
    ],
)
def test_the_mail_server_is_one_address(tmp_path, url, read):
    given = settings_with(tmp_path, {**PRODUCTION, "EMAIL_URL": url})
    account = (given.EMAIL_HOST_USER, given.EMAIL_HOST_PASSWORD)
    assert (given.EMAIL_HOST, given.EMAIL_PORT, *account, getattr(given, "EMAIL_USE_TLS", False)) == read


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"EMAIL_URL": "smpt://store:s3cret@mail.example"}, "EMAIL_URL is not the address of a mail server"),
        ({"EMAIL_URL": "smtp://store:s3cret@mail.example:port"}, "EMAIL_URL is not the address of a mail server"),
        ({"EMAIL_URL": "smtp:s3cret@mail.example"}, "EMAIL_URL is not the address of a mail server"),
        ({"EMAIL_URL": "smtp://mail.example?password=s3cret"}, "EMAIL_URL is not the address of a mail server"),
        ({"ALERT_WEBHOOK_URL": "ftp://hooks.example/s3cret"}, "ALERT_WEBHOOK_URL: Give an address that begins with"),
        ({"ALERT_WEBHOOK_URL": "https://s3cret@hooks.example"}, "ALERT_WEBHOOK_URL: Take user name and password out"),
        ({"TASKS_EXTERNAL_URL": "https://me:s3cret@api.example"}, "TASKS_EXTERNAL_URL: Take user name and password"),
        ({"DATABASE_URL": "postgres://me:a/s3cret@db.example/x"}, "DATABASE_URL is not an address like postgres://"),
        ({"DATABASE_URL": "postgres://me:a#s3cret@db.example/x"}, "DATABASE_URL is not an address like postgres://"),
        ({"DATABASE_URL": "postgres://me:s3cret@db.example:port/x"}, "DATABASE_URL is not an address like postgres://"),
        ({"ALERT_WEBHOOK_SECRET": "s3cret"}, "ALERT_WEBHOOK_SECRET must be whsec_ and the base64 of at least 24"),
    ],
)
def test_a_setting_that_holds_a_secret_is_refused_without_quoting_it(tmp_path, change, reason):
    said = refusal(tmp_path, {**PRODUCTION, **change})
    assert reason in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "secret",
    [
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_c2hvcnQ=",
        "whsec_MfKQ9r8GKYqrTwj no base64 LaLaSw",
        "whsec_ß",
    ],
    ids=["empty", "no prefix", "short", "not base64", "not ASCII"],
)
def test_a_signing_secret_that_is_malformed_or_can_be_guessed_is_refused(tmp_path, secret):
    said = refusal(tmp_path, {**PRODUCTION, "ALERT_WEBHOOK_SECRET": secret})
    assert "ALERT_WEBHOOK_SECRET must be whsec_ and the base64 of at least 24 random bytes." in said


def test_whoever_is_told_of_targets_is_not_mailed_the_variables_of_errors(tmp_path):
    """Django's handler mails them to ADMINS, unless DEBUG is on."""
    mail = {**PRODUCTION, "ALERT_EMAILS": "ops@example.com", "EMAIL_URL": "consolemail://"}
    fails = "import django, logging; django.setup(); logging.getLogger('django.request').error('It failed.')"
    environment = {"BACKOFFICE_DOTENV": "", "BACKOFFICE_VAR": str(tmp_path), **mail}
    done = subprocess.run(
        [sys.executable, "-c", fails],
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "backoffice.settings"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "It failed." in done.stderr
    assert "Subject:" not in done.stdout


def test_two_nodes_have_cookies_of_their_own(tmp_path):
    for node in ("store", "warehouse"):
        read = settings_with(tmp_path, {**PRODUCTION, "BACKOFFICE_NODE": node})
        session, csrf = read.SESSION_COOKIE_NAME, read.CSRF_COOKIE_NAME
        assert (session, csrf) == (f"{node}_session", f"{node}_csrf")


def listed() -> set[str]:
    """The variables of the sample file that the program reads."""
    text = (ROOT / ".env.example").read_text().partition("# --- containers")[0]
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text, re.MULTILINE))


def test_every_variable_that_is_read_is_in_the_sample_file():
    source = "".join((ROOT / "backoffice" / name).read_text() for name in ("settings.py", "env.py"))
    read = set(re.findall(r"\b(?:env|self)\.[a-z_]+\(\s*\"([A-Z][A-Z0-9_]*)\"", source))
    assert read == listed()


def test_the_sample_file_alone_does_not_start(tmp_path):
    said = refusal(tmp_path, {"BACKOFFICE_DOTENV": str(ROOT / ".env.example")})
    assert "SECRET_KEY (or SECRET_KEY_FILE) is not set." in said


def test_the_settings_say_what_they_are_read_from(tmp_path, monkeypatch):
    """No reference to a secret may reach it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "dotenv").write_text(f"ALLOWED_HOSTS=backoffice.example\nSUMMARIZER_KEY_FILE={tmp_path}/llm\n")
    (tmp_path / "llm").write_text("s3cret")
    read = settings_with(tmp_path, {"SECRET_KEY_FILE": "key", "BACKOFFICE_DOTENV": str(tmp_path / "dotenv")})
    assert {tmp_path / name for name in ("key", "dotenv", "llm")} <= read.SETTINGS_FILES
    assert listed() <= read.SETTINGS_NAMES | {"BACKOFFICE_WORKERS", "DATABASE_IDLE_SECONDS"}  # read on PostgreSQL


# --- several database servers -----------------------------------------------------------------------------------------
SERVERS = "postgres://me:s3cret@db-1:5432,db-2:5433/x?target_session_attrs=read-write"


def test_a_database_may_name_its_standbys(tmp_path):
    read = settings_with(tmp_path, {**PRODUCTION, "DATABASE_URL": SERVERS}).DATABASES["default"]
    assert (read["HOST"], read["PORT"], read["NAME"]) == ("db-1,db-2", "5432,5433", "x")
    assert read["OPTIONS"]["target_session_attrs"] == "read-write"


def test_a_replica_has_the_limits_of_its_primary(tmp_path):
    urls = {"DATABASE_URL": SERVERS, "DATABASE_REPLICA_URL": "postgres://me:s3cret@db-3/x"}
    read = settings_with(tmp_path, {**PRODUCTION, **urls})
    primary, replica = read.DATABASES["default"]["OPTIONS"], read.DATABASES["replica"]["OPTIONS"]
    assert primary["options"] == replica["options"]
    assert (primary["connect_timeout"], replica["connect_timeout"]) == (5, 1)
    assert read.DATABASE_ROUTERS == ["backoffice.kit.read_replica.ReplicaRouter"]


def test_sqlite_has_no_replica(tmp_path):
    refused = refusal(tmp_path, {**PRODUCTION, "DATABASE_REPLICA_URL": "postgres://me:s3cret@db-3/x"})
    assert "it and DATABASE_URL must be of PostgreSQL" in refused
    assert "s3cret" not in refused
