from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from content.base.admin import ContentAdmin, ContentInline
from content.base.deleted.asking import Deletion
from content.base.filters import VisibleSelectFilter
from content.palettes import services
from content.palettes.forms import MembershipForm, MembershipFormSet
from content.palettes.models import Membership, Palette, Team
from content.palettes.resources import MembershipResource, PaletteResource, TeamResource
from content.palettes.swatches import swatches


class MembershipInline(ContentInline):
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    fields = ("user",)
    verbose_name, verbose_name_plural = _("member"), _("members")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).select_related("user")


@admin.register(Team)
class TeamAdmin(ContentAdmin):
    list_display = ("name", "id", "member_count", "palette_count")
    search_fields = ("name",)
    fields = ("name",)
    inlines = (MembershipInline,)
    resource_classes = (TeamResource,)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        counts = {f"{name}_count": Count(name, distinct=True) for name in ("memberships", "palettes")}
        teams: QuerySet[Any] = super().get_queryset(request).annotate(**counts)
        return teams

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        super().save_related(request, form, formsets, change)
        if not change and not form.instance.has_member(request.user):
            services.join(team=form.instance, user=request.user)

    @admin.display(description=_("members"), ordering="memberships_count")
    def member_count(self, team: Any) -> int:
        return int(team.memberships_count)

    @admin.display(description=_("palettes"), ordering="palettes_count")
    def palette_count(self, team: Any) -> int:
        return int(team.palettes_count)


@admin.register(Membership)
class MembershipAdmin(ContentAdmin):
    """Members as a list, with their history. The page of a team changes its members too."""

    form = MembershipForm
    list_display = ("user", "team", "since")
    list_filter = (("team", VisibleSelectFilter),)
    list_select_related = ("user", "team")
    search_fields = ("user__username", "team__name")
    fields = ("team", "user")
    autocomplete_fields = ("team",)
    resource_classes = (MembershipResource,)

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return obj is None and bool(super().has_change_permission(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Deletion:
        """Return also a message for each team that would have no members left."""
        names, counts, needed, protected = super().get_deleted_objects(objs, request)
        by_team = {membership.team_id: membership for membership in objs}
        keys = [membership.pk for membership in objs]
        staying = Membership.objects.filter(team_id__in=by_team).exclude(pk__in=keys)
        empty = by_team.keys() - {*staying.values_list("team_id", flat=True)}
        alone = [services.LastMemberError(by_team[team].user).messages[0] for team in by_team if team in empty]
        return names, counts, needed, [*protected, *alone]


@admin.register(Palette)
class PaletteAdmin(ContentAdmin):
    list_display = ("name", "swatches", "id", "team")
    list_filter = (("team", VisibleSelectFilter),)
    list_select_related = ("team",)
    search_fields = ("name", "team__name")
    fields = ("team", "name", "colors")
    autocomplete_fields = ("team",)
    resource_classes = (PaletteResource,)

    @admin.display(description=_("colors"))
    def swatches(self, palette: Palette) -> SafeString:
        return swatches(palette.colors)
