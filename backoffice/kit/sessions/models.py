from hashlib import sha256
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import DatabaseError, models
from django.db.models import Q
from django.utils import timezone

AGENT_LENGTH = 256  # characters
MARK_LENGTH = 16  # hexadecimal digits


def password_marks(account: AbstractBaseUser) -> list[str]:
    """Return what a session of the account's password is marked with; then the marks by older secret keys."""
    hashes = [account.get_session_auth_hash(), *account.get_session_auth_fallback_hash()]
    return [each[:MARK_LENGTH] for each in hashes]


class DigestField(models.CharField):  # type: ignore[type-arg]
    """Stores the digest of a random text, which can't be used in its place; lookups take the text itself."""

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else sha256(str(value).encode()).hexdigest()


class SessionQuerySet(models.QuerySet["Session"]):
    def open_of(self, account: AbstractBaseUser) -> "SessionQuerySet":
        """Return the sessions that sign `account` in now."""
        return self.filter(user=account.pk, expire_date__gt=timezone.now(), password_mark__in=password_marks(account))


class Session(AbstractBaseSession):
    """A sign-in that lasts: a browser's, which is Django's session, or a program's, which is a family of tokens."""

    session_key = DigestField(max_length=64, unique=True, null=True, help_text="Of a browser: a digest of its cookie.")
    family = models.UUIDField(unique=True, null=True, help_text="Of a program: what all of its tokens name.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions")
    password_mark = models.CharField(
        max_length=MARK_LENGTH, blank=True, help_text="Of the password; another one ends it."
    )
    created_at = models.DateTimeField("signed in", default=timezone.now)
    last_seen_at = models.DateTimeField("last seen", null=True, help_text="To a few minutes.")
    address = models.GenericIPAddressField("from", null=True, help_text="The client's, when it was last seen.")
    agent = models.CharField(
        "with", max_length=AGENT_LENGTH, blank=True, help_text="What the browser or program calls itself."
    )
    generation = models.PositiveIntegerField(default=0, help_text="The number of a program's newest refresh token.")
    repeat = models.CharField(
        max_length=64,
        blank=True,
        help_text="A digest of the Idempotency-Key that the newest refresh token was got with.",
    )

    objects = SessionQuerySet.as_manager()  # type: ignore[assignment,misc]

    class Meta:
        verbose_name = "session"
        verbose_name_plural = "sessions"
        ordering = ["-pk"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="kit_sessions_kind",
                condition=Q(session_key=None, family__isnull=False) | Q(session_key__isnull=False, family=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"

    @property
    def kind(self) -> str:
        """`browser` or `program`."""
        return "browser" if self.family is None else "program"

    @classmethod
    def get_session_store_class(cls) -> Any:
        return import_module(settings.SESSION_ENGINE).SessionStore  # as Django's middleware does

    def get_decoded(self) -> Any:
        return {} if self.session_key is None else super().get_decoded()

    def save(self, *, force_update: bool = False, **options: Any) -> None:
        """Save; if `force_update`, as Django's store does it, only what the store knows, and never an ended session.

        Raises:
            DatabaseError: the session has ended.
        """
        if not force_update:
            super().save(**options)
            return
        values = {name: getattr(self, name) for name in ("session_data", "expire_date", "user_id", "password_mark")}
        if not Session.objects.filter(session_key=self.session_key).update(**values):
            raise DatabaseError("The session has ended.")
