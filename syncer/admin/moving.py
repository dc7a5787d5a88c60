"""The base of the forms of a target: what happens to its secret, and to what it carries, when it moves to another host.

A reference to a secret is never filled in: an empty input keeps the stored one, but not for a host that did not get the
secret so far. And only whoever may view all that a target carries may have it sent elsewhere, or for another account.
"""

from copy import copy
from typing import Any, TypeVar

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _

from syncer.models import Target
from syncer.models.target import used_by
from syncer.reports.reading import not_carried

SECRET = "auth_secret"  # noqa: S105 - a column
F = TypeVar("F", bound="MovingForm")


class MovingForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form of a target, whole or in part."""

    request: HttpRequest  # of the person; set by `of`, or by the admin

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.stored: Target = copy(self.instance)
        self.keeps_secret = False
        if SECRET in self.fields and self.stored.auth_secret:
            self.initial[SECRET] = ""
            now = _("Now %(reference)s; leave it empty to keep it.") % {"reference": self.stored.auth_secret}
            self.fields[SECRET].help_text = f"{now} {self.fields[SECRET].help_text}"

    @classmethod
    def of(cls: type[F], request: HttpRequest) -> type[F]:
        """Return the form for the person of this request."""
        return type(cls.__name__, (cls,), {"request": request, "__module__": cls.__module__})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get(SECRET) == "" and SECRET in used_by(cleaned.get("auth", "")):
            cleaned[SECRET] = self.stored.auth_secret
            self.keeps_secret = bool(self.stored.auth_secret)
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors or self.stored.pk is None:
            return
        if self.keeps_secret and (hosts := self.new_hosts):
            text = _("The secret would now go to %(hosts)s. Enter again where it is stored, if it is meant for there.")
            self.add_error(SECRET, text % {"hosts": ", ".join(hosts)})
        if why := self._refusal():
            self.add_error(None, why)

    @property
    def new_hosts(self) -> list[str]:
        """The hosts that would get the secret and did not so far, as scheme, host and port."""
        return sorted(self.instance.destinations - self.stored.destinations)

    def _refusal(self) -> str:
        """Return why this person may not have what the target carries sent elsewhere; empty if they may."""
        if self.instance.recipient == self.stored.recipient:
            return ""
        for model in self.stored.routes.order_by("model").values_list("model", flat=True):
            if why := not_carried(self.request, model):
                text = _("This change would send %(model)s to another place or account. %(why)s")
                return text % {"model": model, "why": why}
        return ""
