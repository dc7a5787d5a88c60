"""The one settings file. Every choice of a deployment comes from its environment; `.env.example` lists them.

Production is the default: without a secret key and host names the program refuses to start. The module has over 300
lines because all settings are in it, each in its section.
"""

import multiprocessing
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from backoffice import VERSION, theme
from backoffice.env import Env

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
env.dotenv("BACKOFFICE_DOTENV", default=BASE_DIR / ".env")

MODE = env.str("BACKOFFICE_ENV", default="production")
if MODE not in ("production", "development"):
    raise ImproperlyConfigured(f"BACKOFFICE_ENV is {MODE!r}; it may be 'production' or 'development'.")
PRODUCTION = MODE == "production"

# --- this node -------------------------------------------------------------------------------------------------------
NODE = env.str("BACKOFFICE_NODE", default="backoffice")
if not NODE.replace("-", "").replace("_", "").isalnum():
    raise ImproperlyConfigured("BACKOFFICE_NODE may hold letters, digits, '-' and '_' only.")
TITLE = env.str("BACKOFFICE_TITLE", default="Back office")
COLOR = env.str("BACKOFFICE_COLOR", default="blue")  # a name of theme.COLORS
VAR_DIR = Path(env.str("BACKOFFICE_VAR", default=str(BASE_DIR / "var")))

SECRET_KEY = env.secret_key()
SECRET_KEY_FALLBACKS = env.secret_key_fallbacks()  # what they signed is valid still; see docs/operating.md
DEBUG = env.bool("BACKOFFICE_DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is not set. Give the host names this node answers to, with commas.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# The private networks that requests of this program may enter, whoever asks for them; see backoffice/kit/addresses.py.
PRIVATE_NETWORKS = env.networks("PRIVATE_NETWORKS")

# --- apps and middleware ---------------------------------------------------------------------------------------------
CONTENT_APPS = [
    "content.news",
    "content.tasks",
    "content.orders",
    "content.messaging",
    "content.palettes",
]
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "backoffice.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "ninja",
    "content.base",  # before the packages whose commands it replaces
    "simple_history",
    "import_export",
    "django_q",
    "backoffice.kit.audit",
    "backoffice.kit.sessions",
    "backoffice.kit.sign_in",
    "backoffice.kit.jobs",
    "backoffice.kit.views",
    "backoffice.kit.idempotency",
    "backoffice.accounts",
    "backoffice.accounts.second_factor",
    "backoffice.accounts.oidc",
    "backoffice.operations",
    "syncer",
    *CONTENT_APPS,
]
MIDDLEWARE = [
    "backoffice.kit.clients.TrustedProxyMiddleware",
    "backoffice.kit.context.RequestIdMiddleware",
    "backoffice.kit.access_log.AccessLogMiddleware",
    "backoffice.monitoring.requests.RequestsMiddleware",
    "backoffice.kit.compression.PageCompressionMiddleware",
    "backoffice.kit.csp.ContentSecurityPolicyMiddleware",
    "backoffice.errors.ErrorPageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "backoffice.kit.api.middleware.ApiMiddleware",
    "backoffice.web.refusals.RefusalMiddleware",
    "backoffice.health.HealthMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "backoffice.kit.sessions.middleware.LastSeenMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "backoffice.kit.encoding.EncodingMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "backoffice.accounts.preferences.PreferencesMiddleware",
    "backoffice.accounts.second_factor.middleware.SetUpFirstMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "backoffice.kit.sign_in.middleware.SignInMiddleware",
]
if DEBUG or not PRODUCTION:
    MIDDLEWARE.insert(4, "backoffice.kit.timing.ServerTimingMiddleware")
ROOT_URLCONF = "backoffice.urls"
WSGI_APPLICATION = "backoffice.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "backoffice" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["backoffice.kit.moments", "backoffice.kit.estimates"],
            "libraries": {"shell": "backoffice.shell"},
        },
    }
]

# --- database --------------------------------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'backoffice.sqlite3'}")
}
# PgBouncer gives each transaction another session: nothing may be kept in one, or set for one.
DATABASE_POOLED = env.bool("DATABASE_POOLED", default=False)
SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
# A streaming replica, which answers API keys that can't write; see backoffice/kit/read_replica.py.
if env.text("DATABASE_REPLICA_URL"):
    DATABASES["replica"] = env.database("DATABASE_REPLICA_URL", default="")
    DATABASES["replica"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 1)  # the primary answers instead
    DATABASE_ROUTERS = ["backoffice.kit.read_replica.ReplicaRouter"]
    if {entry["ENGINE"] for entry in DATABASES.values()} != {"django.db.backends.postgresql"}:
        raise ImproperlyConfigured("DATABASE_REPLICA_URL is set: it and DATABASE_URL must be of PostgreSQL.")
if SQLITE or not PRODUCTION:
    VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)  # the database holds sessions and password hashes
if SQLITE:
    # Without IMMEDIATE and a busy time-out, a web server and a worker get "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,  # seconds
        "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
    }
DATABASE_IDLE_SECONDS = env.int("DATABASE_IDLE_SECONDS", default=120)
for entry in () if SQLITE else DATABASES.values():
    entry.setdefault("CONN_MAX_AGE", 600)  # seconds
    entry["CONN_HEALTH_CHECKS"] = True
    entry["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_POOLED
    options = entry.setdefault("OPTIONS", {})  # what the address says after its "?" comes first
    options.setdefault("connect_timeout", 5)  # seconds, for each address of the host
    # A server that vanished is noticed after 60 s, also while nothing is sent.
    tcp = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
    options.update(tcp | options)
    # A host that hangs in a transaction, or vanishes without closing its connection, locks rows that others wait for.
    if DATABASE_IDLE_SECONDS and not DATABASE_POOLED:
        options.setdefault("options", f"-c idle_in_transaction_session_timeout={DATABASE_IDLE_SECONDS}s")
# Seconds of a statement, and of a wait for a lock; 0: no limit. Other commands have none.
DATABASE_LIMITS = {
    "web": (env.int("DATABASE_WEB_STATEMENT_SECONDS", default=30), env.int("DATABASE_WEB_LOCK_SECONDS", default=10)),
    "worker": (
        env.int("DATABASE_WORKER_STATEMENT_SECONDS", default=600),  # as long as a task of the queue
        env.int("DATABASE_WORKER_LOCK_SECONDS", default=60),
    ),
    "migrate": (0, env.int("DATABASE_MIGRATE_LOCK_SECONDS", default=5)),  # and again, see backoffice/operations/
}
# The folder of pg_dump, pg_restore and psql, see backoffice/operations/; empty: they are in PATH.
POSTGRES_PROGRAMS = env.text("POSTGRES_PROGRAMS")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- API -------------------------------------------------------------------------------------------------------------
API_VERSIONS = (1,)
# Per user, or per address for anonymous requests. Counted in the cache below.
API_RATE = env.rate("API_RATE", default="6000/minute")
REGISTRATION_RATE = env.rate("REGISTRATION_RATE", default="30/minute")
# In memory each web process counts its own requests, so with N processes N times as many may pass.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},  # about 200 bytes each; Django's 300 would drop counts
    }
}

# --- people ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
PASSWORD_HASHERS = [  # the first makes new hashes; an older one is replaced when its password was right
    "backoffice.kit.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTHENTICATION_BACKENDS = [
    "backoffice.kit.sign_in.backend.SlowingBackend",
    "backoffice.accounts.second_factor.backend.PasswordBackend",
    "content.palettes.permissions.MemberBackend",
]
# Failed sign-ins that cost no wait, see backoffice/kit/sign_in/: of strangers at an account, and from an address; of
# whoever signed in from there before (NIST SP 800-63B, section 5.2.2, allows a hundred).
SIGN_IN_FREE_FAILURES = {"account": 5, "address": 20, "known": 100}
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_ENGINE = "backoffice.kit.sessions.store"
# Cookies ignore ports: with the same names, a login at one node would end that at another on the same host name.
SESSION_COOKIE_NAME = f"{NODE}_session"
CSRF_COOKIE_NAME = f"{NODE}_csrf"
ACCESS_TOKEN_SECONDS = env.int("ACCESS_TOKEN_SECONDS", default=15 * 60)
REFRESH_TOKEN_SECONDS = env.int("REFRESH_TOKEN_SECONDS", default=24 * 60 * 60)
OPEN_REGISTRATION = env.bool("BACKOFFICE_OPEN_REGISTRATION", default=False)

# Sign-in at a provider of OpenID Connect, see backoffice/accounts/oidc/; empty: none.
OIDC_ISSUER = env.hook("OIDC_ISSUER", PRIVATE_NETWORKS)
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET")
OIDC_SCOPES = env.list("OIDC_SCOPES", default=["openid", "profile", "email"])
OIDC_NAME_CLAIM = env.str("OIDC_NAME_CLAIM", default="preferred_username")
OIDC_NEW_ROLE = env.str("OIDC_NEW_ROLE", default="")
OIDC_LABEL = env.str("OIDC_LABEL", default="Single sign-on")
if OIDC_ISSUER and not OIDC_CLIENT_ID:
    raise ImproperlyConfigured("OIDC_ISSUER is set, OIDC_CLIENT_ID is not: name this node as the provider knows it.")
if PRODUCTION and OIDC_ISSUER.startswith("http://"):
    raise ImproperlyConfigured("OIDC_ISSUER is not encrypted: in production it begins with https://.")
if "openid" not in OIDC_SCOPES:
    raise ImproperlyConfigured("OIDC_SCOPES lacks openid, without which a provider proves nothing.")

# --- transport security ----------------------------------------------------------------------------------------------
HTTPS = env.bool("BACKOFFICE_HTTPS", default=PRODUCTION)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics/?$"]
HSTS_PRELOAD_SECONDS = 365 * 24 * 60 * 60  # at least, https://hstspreload.org/
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=365 * 24 * 60 * 60 if HTTPS else 0)
# Both concern hosts that are not this node's, and browsers forget the second after months at best: asked for only.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
if SECURE_HSTS_PRELOAD and not (SECURE_HSTS_INCLUDE_SUBDOMAINS and SECURE_HSTS_SECONDS >= HSTS_PRELOAD_SECONDS):
    raise ImproperlyConfigured(
        "SECURE_HSTS_PRELOAD is set. Browsers preload only with SECURE_HSTS_INCLUDE_SUBDOMAINS=true, and "
        f"SECURE_HSTS_SECONDS of at least {HSTS_PRELOAD_SECONDS}."
    )
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # that these two are off
# The proxies whose headers count, see backoffice/kit/clients.py, which drops those of others.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "backoffice.errors.csrf_failure"

# --- language, time, files -------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]  # of the pages, chosen by each person
LOCALE_PATHS = [BASE_DIR / package / "locale" for package in ("backoffice", "content", "syncer")]
FORMAT_MODULE_PATH = ["backoffice.formats"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")  # of the pages, unless a person chooses another
USE_I18N = USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "backoffice" / "static"]
if not PRODUCTION:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns where it is missing
# Development serves the packages' own files, so that `make run` needs no collectstatic.
WHITENOISE_USE_FINDERS = not PRODUCTION
# Look for each file on request: listing all takes 20 ms, at each start and for each client of a test.
WHITENOISE_AUTOREFRESH = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# --- web server, see backoffice/web/ ---------------------------------------------------------------------------------
WEB_THREADS = env.int("WEB_THREADS", default=8)  # of one process; each keeps a database connection
# A body must come at this speed: so many seconds, and one more for so many bytes.
WEB_BODY_SECONDS = env.float("WEB_BODY_SECONDS", default=10.0)
WEB_BODY_RATE = 16 * 1024
WEB_ANONYMOUS_BYTES = 100_000  # of a body with neither session nor credential
WEB_SPOOL_BYTES = env.int("WEB_SPOOL_BYTES", default=2_000_000_000)  # on disk, of all bodies that one process holds
WEB_STUCK_SECONDS = env.float("WEB_STUCK_SECONDS", default=300.0)  # of one request, after which its process is ended

# --- admin -----------------------------------------------------------------------------------------------------------
UNFOLD = theme.unfold(title=TITLE, color=COLOR)

# --- history, import, export -----------------------------------------------------------------------------------------
SIMPLE_HISTORY_REVERT_DISABLED = False
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True  # reasons have no maximum length
SIMPLE_HISTORY_DATE_INDEX = False  # versions are read by object, in the order of their numbers
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"

# --- erasing a person's words ----------------------------------------------------------------------------------------
# Every store that may hold them, by its name in the record of an erasure. Add new stores here. The audit trail is not
# one: it keeps neither content nor texts of a caller's, see docs/adr/0031-an-audit-trail-that-nobody-edits.md.
ERASERS = {
    "reasons and requests": "content.base.erasers.history",
    "imports": "content.base.erasers.imports",
    "runs and attempts": "syncer.recovery.erasure.erase_words",
    "kept answers": "backoffice.kit.erasers.kept_answers",
    "jobs": "backoffice.kit.erasers.jobs",
    "files": "backoffice.kit.erasers.files",
    "queued tasks": "backoffice.kit.erasers.queue",
    "sessions": "backoffice.kit.erasers.sessions",
    "log entries": "backoffice.kit.erasers.log",
}

# --- worker and sync -------------------------------------------------------------------------------------------------
# django-q2 forks, but makes its locks and queues for the default start method as soon as it is imported. With
# `forkserver`, the default since Python 3.14, each of our processes would start another one, a resource tracker.
multiprocessing.set_start_method("fork", force=True)
# The queue only wakes workers; the work itself is in the bindings. See docs/architecture.md.
Q_CLUSTER = {
    "name": NODE,
    "orm": "default",
    "broker_class": "syncer.engine.worker.broker.Broker",
    # SQLite has one writer at a time.
    "workers": 1 if SQLITE else env.int("BACKOFFICE_WORKERS", default=2),
    "timeout": 600,  # seconds
    "retry": 3600,  # seconds; longer than any task including its time in the queue, or tasks run twice
    "max_attempts": 3,
    "queue_limit": 2,
    "bulk": 1,
    "save_limit": 250,
    "catch_up": False,
    "scheduler": False,
    "guard_cycle": 2,  # seconds between two checks of the cluster's processes
    "label": "Queue",
}
# The work of a dead worker is free after this time; every request ends well before it.
SYNC_LEASE_SECONDS = env.int("SYNC_LEASE_SECONDS", default=120)
SYNC_BATCH = 100  # objects claimed at a time
# What a reference to a secret (`env:NAME`, `file:/PATH`) may reach: whoever may edit a target chooses its destination.
SECRET_REFERENCE_PREFIXES = env.list("SECRET_REFERENCE_PREFIXES", default=["SYNC_"])
SECRET_REFERENCE_FOLDERS = env.list(
    "SECRET_REFERENCE_FOLDERS", default=["/run/secrets/sync", str(VAR_DIR.absolute() / "secrets" / "sync")]
)
# What no reference reaches: all that this module reads. Both sets grow until its end.
SETTINGS_NAMES, SETTINGS_FILES = env.ENVIRON.names, env.ENVIRON.files

# --- alerts: a target became unhealthy, or is healthy again, see syncer/engine/alerts/ -------------------------------
# How long the state must last before its alert is sent; 0: at once. Alerts of blocked targets are always sent at once.
ALERT_AFTER_SECONDS = env.int("ALERT_AFTER_SECONDS", default=30)
# Not ADMINS: Django mails these the request and the variables of each error 500.
ALERT_EMAILS = env.emails("ALERT_EMAILS")
globals().update(env.mail("EMAIL_URL", default="" if PRODUCTION else "consolemail://"))  # EMAIL_HOST and so on
EMAIL_TIMEOUT = 10  # seconds of each wait
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=(*ALERT_EMAILS, "webmaster@localhost")[0])
if ALERT_EMAILS and PRODUCTION and not env.text("EMAIL_URL"):
    raise ImproperlyConfigured("ALERT_EMAILS is set, EMAIL_URL is not: name the mail server.")
ALERT_WEBHOOK_URL = env.hook("ALERT_WEBHOOK_URL", PRIVATE_NETWORKS)
ALERT_WEBHOOK_SECRET = env.signing_secret("ALERT_WEBHOOK_SECRET")
ALERT_WEBHOOK_TIMEOUT = 10.0  # seconds of each wait
# The address of this node for people, for links; empty: links hold the path only.
NODE_URL = env.address("BACKOFFICE_URL")
# People may set a new password by mail; its link holds the node's address, never a host that a request named.
PASSWORD_RESET = bool(NODE_URL and (env.text("EMAIL_URL") or not PRODUCTION))
PASSWORD_RESET_TIMEOUT = 60 * 60  # seconds that the link works for

# --- tasks -----------------------------------------------------------------------------------------------------------
# The collection that items are enriched from; empty if none. See content/tasks/external.py.
TASKS_EXTERNAL_URL = env.address("TASKS_EXTERNAL_URL", PRIVATE_NETWORKS)
TASKS_EXTERNAL_PAGING = env.str("TASKS_EXTERNAL_PAGING", default="page")
if TASKS_EXTERNAL_PAGING not in ("page", "cursor"):
    raise ImproperlyConfigured(f"TASKS_EXTERNAL_PAGING is {TASKS_EXTERNAL_PAGING!r}; it may be 'page' or 'cursor'.")
TASKS_EXTERNAL_AUTHORIZATION = env.text("TASKS_EXTERNAL_AUTHORIZATION")
TASKS_EXTERNAL_TIMEOUT = env.float("TASKS_EXTERNAL_TIMEOUT", default=10.0)  # seconds of each wait
TASKS_EXTERNAL_TOTAL = env.float("TASKS_EXTERNAL_TOTAL", default=30.0)  # seconds of all tries and waits
TASKS_RETRY_SECONDS = env.float("TASKS_RETRY_SECONDS", default=0.5)  # 0.5, 1, 2 s with full jitter
# An OpenAI-compatible chat endpoint, without /chat/completions; empty: summaries are made here, of leading sentences.
SUMMARIZER_URL = env.address("SUMMARIZER_URL", PRIVATE_NETWORKS)
SUMMARIZER_KEY = env.text("SUMMARIZER_KEY")
SUMMARIZER_MODEL = env.str("SUMMARIZER_MODEL", default="")
if SUMMARIZER_URL and not SUMMARIZER_MODEL:
    raise ImproperlyConfigured("SUMMARIZER_URL is set, SUMMARIZER_MODEL is not: name the model that it is to use.")
SUMMARIZER_TIMEOUT = env.float("SUMMARIZER_TIMEOUT", default=20.0)  # seconds of each wait

# --- monitoring, see docs/monitoring.md ------------------------------------------------------------------------------
RELEASE = env.str("BACKOFFICE_RELEASE", default=VERSION)
METRICS_TOKEN = env.token("METRICS_TOKEN")  # whoever has it may read /metrics/; empty: there is no such page
SENTRY_DSN = env.text("SENTRY_DSN")
OTLP_ENDPOINT = env.address("OTEL_EXPORTER_OTLP_ENDPOINT")
OTLP_HEADERS = env.text("OTEL_EXPORTER_OTLP_HEADERS")
OTLP_SERVICE = env.str("OTEL_SERVICE_NAME", default=NODE)

# --- logs ------------------------------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="json" if PRODUCTION else "text")
if LOG_FORMAT not in ("json", "text"):
    raise ImproperlyConfigured(f"LOG_FORMAT is {LOG_FORMAT!r}; it may be 'json' or 'text'.")
ACCESS_LOG = env.bool("ACCESS_LOG", default=True)  # a line for each request, see backoffice/kit/access_log.py
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "backoffice.kit.context.RequestIdFilter"}},
    "formatters": {
        "text": {"format": "{asctime} {levelname} [{request_id}] {name}: {message}", "style": "{"},
        "json": {"()": "backoffice.kit.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "level": LOG_LEVEL,  # Django's loggers have levels of their own
            "formatter": LOG_FORMAT,
            "filters": ["request_id"],
        }
    },
    "loggers": {
        "authlib": {"level": "INFO"},  # below INFO it logs secrets of a sign-in under way
        "urllib3": {"level": "INFO"},  # below INFO it logs URLs: a webhook's may be secret, a lookup's holds content
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
# What no line of JSON, and no event of Sentry, ever holds.
SECRETS = [
    secret
    for secret in (
        SECRET_KEY,
        *SECRET_KEY_FALLBACKS,
        *(entry.get("PASSWORD") for entry in DATABASES.values()),
        OIDC_CLIENT_SECRET,
        globals()["EMAIL_HOST_PASSWORD"],
        ALERT_WEBHOOK_URL,
        ALERT_WEBHOOK_SECRET,
        TASKS_EXTERNAL_AUTHORIZATION,
        SUMMARIZER_KEY,
        METRICS_TOKEN,
        SENTRY_DSN,
        OTLP_HEADERS,
    )
    if secret
]
