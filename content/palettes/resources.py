from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from content.base.resource import Column, ColumnWidget, ContentResource
from content.palettes import services
from content.palettes.color_field import ColorsField
from content.palettes.colors import colors_of
from content.palettes.models import Membership, Palette, Team
from content.palettes.people import name_of, user_named


class ColorsCell(ColumnWidget):
    """A cell of colors, such as `#AABBCC #112233`; an empty cell is an empty list."""

    def clean(self, value: Any, row: object = None, **_options: object) -> Any:
        try:
            return colors_of(value)
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error

    def render(self, value: Any, obj: object = None, **_options: object) -> str:
        return " ".join(value)


class UserCell(ColumnWidget):
    """A cell with a user's name: people don't know the keys of users. A name is looked up once for each import."""

    def __init__(self, field: Any) -> None:
        super().__init__(field)
        self.known: dict[str, Any] = {}

    def clean(self, value: Any, row: object = None, **_options: object) -> Any:
        name = str(value or "").strip()
        try:
            if name not in self.known:
                self.known[name] = user_named(name).pk
            return self.known[name]
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error

    def render(self, value: Any, obj: object = None, **_options: object) -> Any:
        return name_of(value) if isinstance(value, int) else value


class UserColumn(Column):
    def get_value(self, instance: Membership) -> str | None:
        return instance.user.get_username() if instance.user_id else None


class TeamResource(ContentResource):
    """Makes the user who adds a team its first member."""

    class Meta:
        model = Team
        fields = ("id", "name")

    def after_adding(self, keys: Sequence[int]) -> None:
        if self.user is not None:
            services.join_new(teams=keys, user=self.user)


class MembershipResource(ContentResource):
    class Meta:
        model = Membership
        fields = ("id", "team", "user")

    @classmethod
    def field_from_django_field(cls, field_name: str, django_field: Any, readonly: bool) -> Column:  # noqa: FBT001 - the library's signature
        if field_name == "user":
            return UserColumn(attribute=django_field.attname, column_name=field_name, widget=UserCell(django_field))
        return super().field_from_django_field(field_name, django_field, readonly)

    def iter_queryset(self, queryset: models.QuerySet[Any]) -> Iterator[Any]:
        return super().iter_queryset(queryset.select_related("user"))


class PaletteResource(ContentResource):
    class Meta:
        model = Palette
        fields = ("id", "team", "name", "colors")

    @classmethod
    def field_from_django_field(cls, field_name: str, django_field: Any, readonly: bool) -> Column:  # noqa: FBT001 - the library's signature
        column = super().field_from_django_field(field_name, django_field, readonly)
        if isinstance(django_field, ColorsField):
            column.widget = ColorsCell(django_field)
        return column
