"""Targets. The file is long because each of some thirty columns is declared here with its help text."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.kit import references
from backoffice.kit.addresses import check_url, may_be_private, origin
from backoffice.kit.phrase_field import PhraseField
from syncer.models import request_defaults
from syncer.targets.base import choices, kinds, unused_columns

if TYPE_CHECKING:
    from syncer.models.binding import Binding

SYNC_PERMISSION = "syncer.sync_target"
TIMEOUT_MOST = 60  # seconds


class Target(models.Model):
    """A remote system: its address, credential, limits and switches."""

    class Matching(models.TextChoices):
        AUTHORITY = "authority", "As between any two edits"
        ASK = "ask", "A person decides"

    class Auth(models.TextChoices):
        NONE = "none", "None"
        BASIC = "basic", "User name and password (Basic)"
        BEARER = "bearer", "Bearer token"
        HEADER = "header", "A header of its own"
        JWT = "jwt", "A token, fetched with user name and password"
        OAUTH2 = "oauth2", "OAuth 2 client credentials"

    name = models.SlugField(
        max_length=64,
        unique=True,
        help_text="Short name in commands and configuration files: letters, digits, '-', '_'.",
    )
    title = models.CharField(max_length=128, blank=True, help_text="The name that people see. Empty: the short name.")
    kind = models.CharField(max_length=16, choices=choices, default="rest", help_text="The protocol of the target.")
    url = models.CharField(
        "address",
        max_length=512,
        validators=[check_url],
        help_text="The root of its API, such as https://api.example.com/v1, without user name or password.",
    )
    enabled = models.BooleanField(default=True, help_text="Off: nothing is planned or sent; changes wait.")
    auth = models.CharField(
        "sign-in", max_length=16, choices=Auth, default=Auth.NONE, help_text="How this node signs in at the target."
    )
    auth_user = models.CharField(
        "user name",
        max_length=128,
        blank=True,
        help_text="The user name; for OAuth 2, the client id. For Basic, a fetched token and OAuth 2.",
    )
    auth_secret = models.CharField(
        "secret",
        max_length=256,
        blank=True,
        validators=[references.validate],
        help_text="Where the secret is stored, never the secret itself: env:NAME (environment variable) or file:PATH.",
    )
    auth_header = models.CharField(
        "header",
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z0-9-]+$", "A header's name, such as X-Api-Key.")],
        help_text="The header that carries the secret, such as X-Api-Key. For 'A header of its own'.",
    )
    auth_url = models.CharField(
        "token address",
        max_length=256,
        blank=True,
        help_text="Where the token is fetched: /api/token/, from the root of the target's host, or a whole https "
        "address on another host. For a fetched token and OAuth 2.",
    )
    auth_token = models.CharField(
        "token",
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"^[^.\s]+(\.[^.\s]+)*\Z", "Names with dots between them: data.access_token.")],
        help_text="Where the answer to the sign-in has the token: data.access_token. Empty: access, or "
        "access_token for OAuth 2.",
    )
    auth_names = models.CharField(
        "names",
        max_length=128,
        blank=True,
        validators=[RegexValidator(r"^[^,\s]+, ?[^,\s]+\Z", "Two names with a comma between them: email, password.")],
        help_text="The names of user name and password in the request for a token, such as 'email, password'. Empty: "
        "username, password.",
    )
    auth_scope = models.CharField(
        "scope", max_length=256, blank=True, help_text="The scope that is asked for. For OAuth 2; usually empty."
    )
    headers = models.JSONField(
        default=dict,
        blank=True,
        help_text='Headers of every request: {"Accept": "application/vnd.api+json"}. No secrets: those belong to the '
        "sign-in.",
    )
    query = models.JSONField(
        "parameters",
        default=dict,
        blank=True,
        help_text='Parameters of every request\'s address: {"api-version": "2026-01-01"}. No secrets.',
    )
    concurrency = models.PositiveSmallIntegerField(
        default=8,
        validators=[MinValueValidator(1), MaxValueValidator(64)],
        help_text="Requests at the same time, 1 to 64.",
    )
    timeout = models.PositiveSmallIntegerField(
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(TIMEOUT_MOST)],
        help_text="Seconds until a request is abandoned: 1 to 60, for connecting and for the answer.",
    )
    not_before = models.DateTimeField(
        "waits until",
        null=True,
        blank=True,
        editable=False,
        help_text="The target asked us to wait until then (Retry-After).",
    )
    blocked = PhraseField(
        "blocked because",
        blank=True,
        editable=False,
        help_text="Why nothing is sent: a setting is wrong, and a person has to correct it. Empty: not blocked.",
    )

    # For peers only.
    peer_node = models.CharField(
        "node",
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"^[\w-]+$", "A node's name: letters, digits, '-' and '_'.")],
        help_text="The other back office's name, its BACKOFFICE_NODE. For peers.",
    )
    peer_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="its account here",
        help_text="The account with which the other back office signs in here; no other may act for it. For peers.",
    )
    matching = models.CharField(
        "at the first matching",
        max_length=16,
        choices=Matching,
        default=Matching.AUTHORITY,
        help_text="What decides when, before the first sync, both ends had an object with the same key and different "
        "fields. For peers.",
    )
    peer_writer = models.CharField(
        "its incarnation", max_length=96, blank=True, editable=False, help_text="Empty: not known yet."
    )
    acknowledged_writer = models.CharField(
        "knows our incarnation", max_length=96, blank=True, editable=False, help_text="Empty: the peer never answered."
    )
    contact_at = models.DateTimeField(
        "last contact", null=True, blank=True, editable=False, help_text="When the peer last answered or called us."
    )

    throttled = models.PositiveIntegerField(
        db_default=0, editable=False, help_text="How many times in a row the target asked us to wait."
    )

    # The circuit breaker, see core/circuit.py.
    failures = models.PositiveIntegerField(
        db_default=0, editable=False, help_text="Failed requests since the last answer."
    )
    opened_at = models.DateTimeField(
        "not working since",
        null=True,
        blank=True,
        editable=False,
        help_text="Too many requests in a row failed: one at a time is sent until one is answered. Empty: it works.",
    )
    probe_at = models.DateTimeField(
        "next probe", null=True, blank=True, editable=False, help_text="When the next probe may be sent."
    )
    probes = models.PositiveIntegerField(db_default=0, editable=False, help_text="Number of failed probes.")
    unhealthy_since = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the target became unhealthy; kept until it is found healthy again. Empty: it is healthy.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["peer_node"],
                condition=~models.Q(peer_node=""),
                name="syncer_target_peer_node",
                violation_error_message=gettext_lazy("There is a target for this node already."),
            )
        ]
        permissions = [
            ("sync_target", "Can sync a target now, pause and resume it"),
            ("push_as_peer", "Can push changes as a peer"),
        ]

    def __str__(self) -> str:
        return self.title or self.name

    @property
    def account(self) -> str:
        """A digest of what an account is chosen by: a target remembers Idempotency-Keys, and gives tokens, per account.

        Headers and parameters belong to it, for some name a tenant: `Stripe-Account`, `?site=`.
        """
        parts = (self.url, self.auth, *(getattr(self, column) for column in SIGN_IN_COLUMNS), self.headers, self.query)
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def recipient(self) -> tuple[object, ...]:
        """What decides who gets what the routes carry: where it is sent, for which account there, and who may call."""
        return (self.account, self.kind, self.peer_node, self.peer_user_id)

    @property
    def destinations(self) -> frozenset[str]:
        """The hosts that get the secret: scheme, host and port of the address, and of a whole token address."""
        urls = [self.url, *([self.auth_url] if self.auth_url and not self.auth_url.startswith("/") else [])]
        return frozenset(map(origin, urls))

    def next_try(self, binding: "Binding | None" = None) -> datetime | None:
        """Return when the target, or a binding there, is tried again: both have waits. None: neither waits."""
        probe_at = self.probe_at if self.opened_at else None
        waits = (self.not_before, probe_at, binding.not_before if binding else None)
        return max((time for time in waits if time), default=None)

    def clean(self) -> None:
        """Refuse columns that the sign-in or the kind needs and lacks, or has and would not use.

        Raises:
            ValidationError: by column.
        """
        self.headers, self.query = self.headers or {}, self.query or {}  # a form makes None of an empty text
        errors: dict[str, Any] = {}
        if self.auth_url:
            errors["auth_url"] = self._token_url_error()
        for column in SIGN_IN_COLUMNS if self.auth in SIGN_IN else ():
            if column in SIGN_IN[self.auth] and not getattr(self, column):
                errors[column] = _("Sign-in '%(auth)s' needs it.") % {"auth": self.auth}
            elif column not in used_by(self.auth) and getattr(self, column):
                errors[column] = _("Sign-in '%(auth)s' does not use it; leave it empty.") % {"auth": self.auth}
        errors["headers"] = [*request_defaults.header_errors(self.headers, sign_in=self.auth_header)]
        errors["query"] = [*request_defaults.query_errors(self.query)]
        errors |= self._kind_errors()
        if errors := {column: error for column, error in errors.items() if error}:
            raise ValidationError(errors)

    def _token_url_error(self) -> str:
        if not re.match(r"https?://", self.auth_url, re.IGNORECASE):
            # A path that begins with two slashes names another host, and `urljoin` drops tabs and line breaks first.
            is_path = re.fullmatch(r"/(?!/)\S*", self.auth_url)
            return "" if is_path else _("A token path begins with '/', not '//', and has no white space.")
        try:
            check_url(self.auth_url)
        except ValidationError as error:
            return str(error.message)
        if self.auth_url.lower().startswith("http:") and not may_be_private(self.auth_url):
            return _("Give an https address, for the secret is sent there; http is for private networks.")
        return ""

    def _kind_errors(self) -> Mapping[str, str]:
        used = Target.objects.filter(pk=self.pk, routes__bindings__isnull=False).exclude(kind=self.kind)
        if self.pk is not None and used.exists():
            # Bindings of one kind mean nothing to another.
            return {"kind": _("Objects were sent there as to a target of another kind; create another target.")}
        if self.kind not in kinds():
            return {}
        kind = kinds()[self.kind]
        foreign = unused_columns(kind, "target_columns")
        columns: list[models.Field[Any, Any]] = [column for column in self._meta.fields if column.name in foreign]
        filled = [
            column.name for column in columns if getattr(self, column.attname) not in (None, column.get_default())
        ]
        unused = _("A target of the kind '%(kind)s' does not use it; leave it empty.") % {"kind": self.kind}
        return dict.fromkeys(filled, unused) | dict(kind.target_errors(self))


SIGN_IN_COLUMNS = ("auth_user", "auth_secret", "auth_header", "auth_url", "auth_token", "auth_names", "auth_scope")
SIGN_IN: dict[str, tuple[str, ...]] = {  # the columns that each way of signing in needs
    Target.Auth.NONE: (),
    Target.Auth.BASIC: ("auth_user", "auth_secret"),
    Target.Auth.BEARER: ("auth_secret",),
    Target.Auth.HEADER: ("auth_secret", "auth_header"),
    Target.Auth.JWT: ("auth_user", "auth_secret", "auth_url"),
    Target.Auth.OAUTH2: ("auth_user", "auth_secret", "auth_url"),
}
OPTIONAL: dict[str, tuple[str, ...]] = {  # the columns that a way of signing in uses if they are given
    Target.Auth.JWT: ("auth_token", "auth_names"),
    Target.Auth.OAUTH2: ("auth_token", "auth_scope"),
}


def used_by(auth: str) -> tuple[str, ...]:
    """Return the columns that a way of signing in needs, or uses if they are given."""
    return (*SIGN_IN.get(auth, ()), *OPTIONAL.get(auth, ()))
