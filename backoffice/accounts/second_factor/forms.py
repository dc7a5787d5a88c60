from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from backoffice.accounts.models import User

CODE_LENGTH = 64  # characters that are read


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=CODE_LENGTH,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "spellcheck": "false", "autofocus": True}
        ),
        help_text=_("Six digits of your app, or one of your recovery codes."),
    )


class SetUpForm(CodeForm):
    """The first code of a new app, and the password: an open session is not enough to lock its owner out."""

    password = forms.CharField(
        label=_("Password"), widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}), strip=False
    )
    field_order = ("password", "code")

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        del self.fields["code"].widget.attrs["autofocus"]  # the picture comes before it
        self.fields["code"].help_text = _("Six digits that the app shows now.")
        if not user.has_usable_password():  # they sign in elsewhere
            del self.fields["password"]


def wrong_code() -> str:
    return gettext("This code is wrong, or was used before.")
