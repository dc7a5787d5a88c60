from typing import Any

from django.conf import settings
from django.core.validators import ProhibitNullCharactersValidator
from django.db import models
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

SHARE = "views.share_savedview"
NOT_KEPT = ("p", "all", "_popup", "_to_field", "e")  # parameters of a list that belong to the moment
QUERY_LENGTH = 2_000  # characters


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: Any) -> "SavedViewQuerySet":
        """Return the views that `user` made, and those that are for all."""
        return self.filter(Q(owner=user) | Q(shared=True))

    def removable_by(self, user: Any) -> "SavedViewQuerySet":
        """Return the views that `user` may delete: their own, and with the permission to share those for all."""
        return self.visible_to(user) if user.has_perm(SHARE) else self.filter(owner=user)


class SavedView(models.Model):
    """The filters, search and order of a list, under a name."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", help_text="Who saved it."
    )
    page = models.CharField(max_length=128, help_text="The list, by its model: news.post.")
    name = models.CharField(
        max_length=64, validators=[ProhibitNullCharactersValidator()], help_text="At most 64 characters."
    )
    query = models.CharField(
        max_length=QUERY_LENGTH, blank=True, help_text="The parameters of the list's address: q=spring&o=1."
    )
    shared = models.BooleanField(default=False, help_text="It is for all, not for its owner only.")

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        default_permissions = ()
        permissions = [("share_savedview", "Can save views of lists for all")]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "page", "name"],
                name="views_savedview_name",
                violation_error_message=_("You have a view of this name on this list already. Choose another name."),
            )
        ]
        indexes = [models.Index(fields=["page"], name="views_savedview_page")]

    def __str__(self) -> str:
        return self.name


def kept(parameters: QueryDict) -> str:
    """Return what of a list's address a view keeps, in one order, so that equal views are equal texts."""
    changed = parameters.copy()
    for name in NOT_KEPT:
        changed.pop(name, None)
    for name in [name for name, values in changed.lists() if not any(values)]:
        del changed[name]
    ordered = QueryDict(mutable=True)
    for name in sorted(changed):
        ordered.setlist(name, changed.getlist(name))
    return ordered.urlencode()
