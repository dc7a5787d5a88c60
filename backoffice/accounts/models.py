import secrets
import unicodedata
from collections.abc import Collection
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import AbstractUser, Group
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.scope import Scoped
from backoffice.kit.preferences import languages, time_zones

KEY_DAYS_MOST = 366
KEY_BYTES = 32  # random; too many to be guessed, so that a fast hash is safe


def folded(username: str | None) -> str:
    """Return `username` without differences of case and of Unicode form, so that equal names compare equal.

    This is done in Python, as the databases' LOWER() functions differ (SQLite's knows ASCII only). Django's form leaves
    None in the place of a name that is taken.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username or "").casefold())


class User(Scoped, AbstractUser):
    """A person or program that signs in. A model of our own from the first migration, so that it can gain fields."""

    folded = models.CharField(max_length=450, unique=True, blank=True, editable=False)  # 150, each up to 3 when folded

    language = models.CharField(
        _("language"),
        max_length=16,
        blank=True,
        default="",
        choices=languages,
        help_text=_("Of the pages. Empty: the browser's."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        default="",
        choices=time_zones,
        help_text=_("Of the times on the pages, such as Europe/Berlin. Empty: this node's."),
    )

    second_factor_at = models.DateTimeField(
        _("second factor since"), null=True, blank=True, editable=False, help_text=_("Empty: the account has none.")
    )

    key: "ApiKey | None" = None  # the API key that authenticated the request, if one did

    class Meta(AbstractUser.Meta):
        constraints = [models.CheckConstraint(name="accounts_user_folded", condition=~models.Q(folded=""))]

    def clean(self) -> None:
        super().clean()
        self.folded = folded(self.username)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return Django's hash, and another for each second factor: sessions and tokens from before it end."""
        own: str = super()._get_session_auth_hash(secret)  # type: ignore[misc] # the stubs don't have it
        if self.second_factor_at is None:
            return own
        text = f"{own} {self.second_factor_at.timestamp()}"
        return salted_hmac("accounts.second_factor", text, secret=secret, algorithm="sha256").hexdigest()

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Report a name that differs only by case as an error of `username`."""
        excluded = {*(exclude or ())}
        super().validate_unique(exclude=excluded | {"folded"})
        same = User.objects.filter(folded=folded(self.username)).exclude(pk=self.pk)
        if "username" not in excluded and same.exists():
            raise ValidationError({"username": self.unique_error_message(User, ("username",))})

    def save(self, *args: Any, **options: Any) -> None:
        self.username = self.normalize_username(self.username)
        self.folded = folded(self.username)
        written = options.get("update_fields")
        if written is not None and "username" in written:
            options["update_fields"] = {*written, "folded"}
        super().save(*args, **options)


class Role(models.Model):
    """A ready role's group, and what it was given already. See `backoffice.accounts.role_groups`."""

    slug = models.CharField(max_length=32, primary_key=True)
    group = models.OneToOneField(
        Group, models.SET_NULL, null=True, related_name="role", help_text="Empty: an administrator deleted it."
    )
    given = models.JSONField(default=list, help_text="The permissions that are not given again.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.slug


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def working(self) -> "ApiKeyQuerySet":
        """Return the keys that can authenticate now."""
        return self.filter(revoked_at=None, expires__gt=timezone.now(), user__is_active=True)


class ApiKey(models.Model):
    """A credential that a person gives to a program: `bo_<prefix>_<secret>`, shown once.

    A key has those of its owner's permissions that `permissions` names, or with `full_access` all of them.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="keys")
    name = models.CharField(
        max_length=64,
        validators=[ProhibitNullCharactersValidator()],
        help_text="What it is for, such as the program that will use it.",
    )
    prefix = models.CharField(
        max_length=12, unique=True, editable=False, help_text="The beginning of the key; not secret."
    )
    digest = models.CharField(max_length=64, editable=False)
    full_access = models.BooleanField(default=False, help_text="It may do all that its owner may, now and later.")
    permissions = models.JSONField(
        default=list, blank=True, help_text="What it may do, at most; an empty list gives nothing."
    )
    created = models.DateTimeField(default=timezone.now, editable=False)
    expires = models.DateTimeField(help_text=f"At most {KEY_DAYS_MOST} days ahead.")
    revoked_at = models.DateTimeField("revoked", null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(
        "last used", null=True, blank=True, editable=False, help_text="Accurate to the minute."
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        default_permissions = ("view", "change", "delete")  # for everybody's keys; all may create and revoke their own
        constraints = [
            models.CheckConstraint(name="accounts_apikey_name", condition=~models.Q(name="")),
            models.CheckConstraint(name="accounts_apikey_expires", condition=models.Q(expires__gt=models.F("created"))),
        ]

    def __str__(self) -> str:
        return f"{self.name} (bo_{self.prefix}…)"

    def clean(self) -> None:
        self.permissions = sorted(set(self.permissions))
        errors: dict[str, str | Promise] = {}
        latest = self.created + timedelta(days=KEY_DAYS_MOST)
        if self.expires is not None and not timezone.now() < self.expires <= latest:
            errors["expires"] = _("Give a time to come, at most %(days)s days ahead.") % {"days": KEY_DAYS_MOST}
        if self.full_access and self.permissions:
            errors["permissions"] = _("A key with full access names no permissions.")
        elif not self.full_access and not self.permissions:
            errors["permissions"] = _("Name at least one permission, or choose full access.")
        elif strange := sorted(set(self.permissions) - self.user.get_all_permissions()):
            errors["permissions"] = _("%(user)s does not have %(permissions)s.") % {
                "user": self.user,
                "permissions": ", ".join(strange),
            }
        if errors:
            raise ValidationError(errors)

    def seal(self) -> str:
        """Give the key a new secret, of which only the digest is stored; return the whole key, to be shown once."""
        secret = secrets.token_hex(KEY_BYTES)
        self.prefix, self.digest = secrets.token_hex(6), digest(secret)
        return f"bo_{self.prefix}_{secret}"

    @property
    def scope(self) -> frozenset[str] | None:
        """The permissions that the owner's are limited to; None if they are not. See `User.scope`."""
        return None if self.full_access else frozenset(self.permissions)

    @property
    def state(self) -> str:
        """`works`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "works" if self.expires > timezone.now() else "expired"


def digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
