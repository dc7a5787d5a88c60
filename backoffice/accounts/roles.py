"""The ready roles: which permissions belong to each, by rules, so that the models of a new domain need no entry here.

Content is what the domains in CONTENT_APPS declare as content; the permissions on it that are not of the usual kinds
(setting an order back, erasing a client) are given by nobody but the administrator. See docs/adr/0028.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalChanges

SEE = frozenset({"view"})
EDIT = SEE | {"add", "change", "delete"}
TRANSFER = EDIT | {"import", "export"}
SYNC = frozenset({"view", "sync"})
# What runs in the background, everybody's.
WORK = frozenset({"jobs.view_job", "content.view_import", "django_q.view_failure"})
# What an administrator manages besides content. Other tables (sessions, content types, the queue) are the program's.
MANAGED_APPS = frozenset({"accounts", "audit", "jobs", "syncer", "views"})
MANAGED_MODELS = frozenset({"auth.Group", "content.Import", "django_q.Failure"})


@dataclass(frozen=True)
class Grant:
    """A permission, with the model that it is for."""

    name: str  # "news.view_post"
    model: type[Model]

    @classmethod
    def of(cls, permission: Permission) -> "Grant | None":
        """Return the grant; None if nothing checks the permission: its model is gone, or holds versions."""
        model = permission.content_type.model_class()
        if model is None or issubclass(model, HistoricalChanges):
            return None
        return cls(f"{permission.content_type.app_label}.{permission.codename}", model)

    @property
    def app_label(self) -> str:
        return self.model._meta.app_label

    @property
    def verb(self) -> str:
        """What it allows to do with the model: `view` of `news.view_post`; empty if it is about something else."""
        verb, _underscore, model = self.name.partition(".")[2].partition("_")
        return verb if model == self.model._meta.model_name else ""

    @property
    def is_content(self) -> bool:
        return self.app_label in content_apps() and hasattr(self.model, "restrictions")


@dataclass(frozen=True, kw_only=True)
class ReadyRole:
    """A role that each node has from its first migration."""

    slug: str
    label: str | Promise
    about: str | Promise  # what the role may do, for whoever gives it
    content: frozenset[str] = frozenset()  # verbs
    sync: frozenset[str] = frozenset()  # verbs, for the engine's tables
    also: frozenset[str] = frozenset()  # permissions by name
    has_all: bool = False  # on all content, and on what an administrator manages

    def gives(self, grant: Grant) -> bool:
        if self.has_all and _is_managed(grant):
            return True
        verbs = self.content if grant.is_content else self.sync if grant.app_label == "syncer" else frozenset()
        return grant.verb in verbs or grant.name in self.also


ROLES = (
    ReadyRole(
        slug="viewer",
        label=_("Viewer"),
        about=_("Sees all content, its history and whether it was synced. Changes nothing."),
        content=SEE,
    ),
    ReadyRole(
        slug="editor",
        label=_("Editor"),
        about=_("Sees content, and creates, changes and deletes it."),
        content=EDIT,
    ),
    ReadyRole(
        slug="importer",
        label=_("Importer"),
        about=_("Does what an editor does, and imports and exports files."),
        content=TRANSFER,
    ),
    ReadyRole(
        slug="operator",
        label=_("Operator"),
        about=_("Sees content, targets, runs, alerts and jobs; syncs, pauses and resumes targets. Edits no content."),
        content=SEE,
        sync=SYNC,
        also=WORK,
    ),
    ReadyRole(
        slug="administrator",
        label=_("Administrator"),
        about=_("Does everything, and manages targets and people. Makes nobody a superuser."),
        has_all=True,
    ),
)
BY_SLUG = {role.slug: role for role in ROLES}


def content_apps() -> Collection[str]:
    """Return the labels of the domains."""
    return {app.rpartition(".")[2] for app in settings.CONTENT_APPS}


def _is_managed(grant: Grant) -> bool:
    return grant.app_label in {*content_apps(), *MANAGED_APPS} or grant.model._meta.label in MANAGED_MODELS
