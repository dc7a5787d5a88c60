"""The second step: how this node signs in. Only the fields of the chosen way count."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy

from syncer.admin.moving import SECRET, MovingForm
from syncer.admin.setup.forms import StepForm
from syncer.admin.setup.steps import At, Step, address
from syncer.models import Target
from syncer.models.target import SIGN_IN, SIGN_IN_COLUMNS, used_by

EXAMPLES = {
    "auth_user": "sync@example.com",
    "auth_header": "X-Api-Key",
    "auth_url": "/api/token/",
    "auth_token": "data.access_token",
    "auth_names": "email, password",
    "auth_scope": "records.write",
}


class SignInForm(StepForm, MovingForm):
    class Meta:
        model = Target
        fields = ("auth", *SIGN_IN_COLUMNS)
        widgets = {"auth": forms.RadioSelect}
        labels = {
            "auth": gettext_lazy("Way of signing in"),
            "auth_user": gettext_lazy("User name or client id"),
            "auth_secret": gettext_lazy("Where the secret is stored"),
            "auth_header": gettext_lazy("Name of the header"),
            "auth_url": gettext_lazy("Address for a token"),
            "auth_token": gettext_lazy("Where the answer has the token"),
            "auth_names": gettext_lazy("What user name and password are called"),
            "auth_scope": gettext_lazy("Scope"),
        }
        help_texts = {
            "auth": "",
            "auth_user": gettext_lazy("The account with which this node signs in there; for OAuth 2, the client id."),
            "auth_secret": gettext_lazy(
                "Never the password, token or key itself: env:NAME is an environment variable of the web server and "
                "the worker, file:/PATH a file."
            ),
            "auth_header": gettext_lazy("The header that carries the key, as the documentation of the target has it."),
            "auth_url": gettext_lazy("A path from the root of the target's host, or a whole https address."),
            "auth_token": gettext_lazy("Names with dots between them. Empty: access, or access_token for OAuth 2."),
            "auth_names": gettext_lazy("In the request for a token, with a comma. Empty: username, password."),
            "auth_scope": gettext_lazy("Usually empty."),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name = self.instance.name.upper().replace("-", "_")
        for column, example in (EXAMPLES | {"auth_secret": f"env:SYNC_{name}_SECRET"}).items():
            self.fields[column].widget.attrs["placeholder"] = example

    def clean(self) -> dict[str, Any]:
        """Empty what the chosen way does not use: without a script all fields are there to be filled in."""
        cleaned: dict[str, Any] = super().clean() or {}
        for column in SIGN_IN_COLUMNS:
            if column not in used_by(cleaned.get("auth", "")):
                self.errors.pop(column, None)
                cleaned[column] = ""
        return cleaned

    def ways(self) -> "Iterator[tuple[forms.BoundField, str]]":
        """Yield the field of each column, and the ways of signing in that use it: `basic jwt oauth2`."""
        for column in SIGN_IN_COLUMNS:
            yield self[column], " ".join(way for way in SIGN_IN if column in used_by(way))


def show(at: At) -> HttpResponse:
    """Show the form (GET), or save it and go on to the trial (POST)."""
    form = SignInForm.of(at.request)(at.request.POST or None, instance=at.target)
    if at.request.method != "POST" or not form.is_valid():
        return at.page(form=form)
    target = form.save(commit=False)
    # A secret that is kept is not written: the address may have changed meanwhile.
    target.save(update_fields=[name for name in form.Meta.fields if not (form.keeps_secret and name == SECRET)])
    at.admin.log_change(at.request, target, "Set up: sign-in.")
    return HttpResponseRedirect(address(Step.TRY, target))
