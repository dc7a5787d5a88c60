"""Who may read what: the pages of the sync show of the content what its own pages would, and no more.

Apart from the admin's modules, which template tags can't import: unfold loads the tags while it is loaded itself.
"""

import re

from django.http import HttpRequest

from syncer.mapping import declarations


def unseen(request: HttpRequest, label: str) -> str:
    """Why this person may not read what objects of a model hold: "you may not view posts". Empty: they may."""
    app, _, model = label.lower().partition(".")
    if any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change")):
        return ""
    declaration = declarations().get(label)
    return f"you may not view {declaration.model._meta.verbose_name_plural if declaration else label}"


def may_read_all(request: HttpRequest) -> bool:
    """This person may read everything that travels."""
    return not any(unseen(request, label) for label in declarations())


def unquoted(text: str) -> str:
    """A reason without what it quotes of a target's answer."""
    return re.sub(r"(answered \d+|another host): .*", r"\1", text, flags=re.DOTALL)


def headline(request: HttpRequest, text: str) -> str:
    """A sentence about a whole target, as this person may read it."""
    return text if may_read_all(request) else unquoted(text)
