"""The page that asks before an action of a list is carried out: for how many objects, and what will follow.

The form sends the action again, to the same address, so that the list's filters choose the same objects.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice.kit.pages import model_page

SENT_AGAIN = ("action", "select_across", "of")  # `of`: the object on whose page a button was pressed


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a person is asked.

    Attributes:
        follows: sentences that say what will follow.
        answer: the words of the button that says yes.
        names: the first of the chosen objects.
        more: how many more are chosen.
        form: what else is asked; None: nothing.
        back: the address of the page to return to without an answer.
        digest: names exactly what was chosen; see `digest_of`.
    """

    title: str
    follows: Sequence[str]
    answer: str
    names: Sequence[str] = ()
    more: int = 0
    form: forms.Form | None = None
    back: str = ""
    digest: str = ""


class ReasonForm(forms.Form):
    """Asks why; the reason is needed."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=256,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Shown to others, with your name and the time."),
    )


def is_answered(request: HttpRequest) -> bool:
    return "sure" in request.POST


def ask(admin: "ModelAdmin[Any]", request: HttpRequest, question: Question) -> HttpResponse:
    """Return the page with the question."""
    chosen = [(name, value) for name in SENT_AGAIN for value in request.POST.getlist(name)]
    chosen += [(ACTION_CHECKBOX_NAME, value) for value in request.POST.getlist(ACTION_CHECKBOX_NAME)]
    return model_page(
        admin,
        request,
        "kit/question.html",
        title=question.title,
        question=question,
        chosen=chosen,
        address=request.get_full_path(),
    )


def digest_of(chosen: Iterable[object]) -> str:
    """Return a text that names exactly these: if they change, so does the text."""
    digest = hashlib.sha256()
    for one in chosen:
        digest.update(f"{one}\n".encode())
    return digest.hexdigest()[:16]
