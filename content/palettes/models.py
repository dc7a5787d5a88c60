from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from content.base.fields import order_indexes, text_constraint, text_field
from content.base.models import ContentModel, ContentQuerySet
from content.palettes.color_field import ColorsField, colors_constraint
from content.palettes.colors import MOST

SEE_ALL = "palettes.view_all_teams"


def sees_all(user: Any) -> bool:
    """Return whether every team exists for `user`; always true for None, which is a program."""
    return user is None or bool(user.has_perm(SEE_ALL))


def teams_of(user: Any) -> "models.QuerySet[Any]":
    """Return the keys of the teams that `user` is a member of, as a subquery."""
    return Membership.objects.filter(user_id=user.pk).values("team_id")


class TeamQuerySet(ContentQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self if sees_all(user) else self.filter(pk__in=teams_of(user))


class OwnedQuerySet(ContentQuerySet):
    """Rows that belong to a team and exist for its members only."""

    def visible_to(self, user: Any) -> Self:
        return self if sees_all(user) else self.filter(team_id__in=teams_of(user))


class Team(ContentModel):
    searched = ("name",)

    name = text_field(255, help_text="At most 255 characters; another team has another name.")

    objects: ClassVar[Any] = TeamQuerySet.as_manager()

    class Meta(ContentModel.Meta):
        abstract = False
        indexes = order_indexes("palettes_team", "name")
        permissions = [("view_all_teams", "Can see every team and what it owns")]
        constraints = [
            text_constraint("name", 255),
            # People could not distinguish two teams whose names differ only in case.
            models.UniqueConstraint(
                Lower("name"),
                name="palettes_team_name_unique",
                violation_error_message=_("There is a team of this name already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_visible_to(self, user: Any) -> bool:
        return sees_all(user) or self.has_member(user)

    def has_member(self, user: Any) -> bool:
        return teams_of(user).filter(team_id=self.pk).exists()


class Owned(ContentModel):
    """The base of content that belongs to a team and exists for its members only."""

    team: Any
    team_id: int

    class Meta(ContentModel.Meta):
        abstract = True

    def is_visible_to(self, user: Any) -> bool:
        return sees_all(user) or teams_of(user).filter(team_id=self.team_id).exists()


class Membership(Owned):
    """A user in a team. A membership is created and deleted but never changed; its history says by whom."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships", help_text="The team.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="memberships",
        help_text="The name by which the new member signs in.",
    )
    since = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = OwnedQuerySet.as_manager()

    class Meta(ContentModel.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["team", "user"],
                name="palettes_membership_once",
                violation_error_message=_("This user is a member already."),
            )
        ]

    def __str__(self) -> str:
        return str(self.user)  # not the team: a page about the user shows it to people of other teams

    def clean(self) -> None:
        """Refuse to replace the member of a membership, which would remove the old one without the rules of leaving."""
        stored = None if self.pk is None else type(self).objects.filter(pk=self.pk).first()
        if stored is not None and (stored.team_id, stored.user_id) != (self.team_id, self.user_id):
            raise ValidationError(_("A membership can't be changed; remove it and add another one."))


class Palette(Owned):
    searched = ("name",)

    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="palettes", help_text="The team that owns the palette."
    )
    name = text_field(255, help_text="At most 255 characters; the team's other palettes have other names.")
    colors = ColorsField(
        default=list,
        blank=True,
        help_text=f"At most {MOST} colors as #RGB or #RRGGBB, with spaces, commas or lines between.",
    )

    objects: ClassVar[Any] = OwnedQuerySet.as_manager()

    class Meta(ContentModel.Meta):
        abstract = False
        indexes = order_indexes("palettes_palette", "name")
        constraints = [
            text_constraint("name", 255),
            colors_constraint("colors"),
            models.UniqueConstraint(
                fields=["team", "name"],
                name="palettes_palette_name_unique",
                violation_error_message=_("The team has a palette of this name already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
