"""The forms of an account in the admin: the ready roles first, in plain words, and nothing that the giver lacks."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from backoffice.accounts.granting import Giver, groups_to_give
from backoffice.accounts.models import User
from backoffice.accounts.roles import BY_SLUG, ROLES

ORDER = {role.slug: place for place, role in enumerate(ROLES)}


def role_label(group: Group) -> SafeString:
    """Return the name of a role's group, and what the role may do. A name that nobody changed is translated."""
    role = BY_SLUG.get(group.role.slug)
    about = "" if role is None else role.about
    return format_html(
        '<span class="sync-choice"><strong>{}</strong> <span>{}</span></span>', gettext(group.name), about
    )


def in_order(groups: Iterable[Group]) -> list[Group]:
    """Return the groups of roles, the one that may least first."""
    return sorted(groups, key=lambda group: ORDER.get(group.role.slug, len(ORDER)))


class RolesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Groups of ready roles, as boxes to tick."""

    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def label_from_instance(self, obj: Any) -> SafeString:
        return role_label(obj)


class RolesForm(forms.ModelForm):  # type: ignore[type-arg]
    """A mixin of the two forms, whose `giver` is set by `UserAdmin.get_form`."""

    giver: Giver
    roles = RolesField(
        label=_("Roles"),
        queryset=Group.objects.none(),
        required=False,
        help_text=_("What the account may do. With several roles it may do what any of them may."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["roles"]
        field.queryset = groups_to_give(self.giver).filter(role__isnull=False).select_related("role")
        field.choices = [(group.pk, role_label(group)) for group in in_order(field.queryset)]
        if self.instance.pk:
            field.initial = self.instance.groups.filter(role__isnull=False)

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc] # sets the other groups, where the form has them
        self.instance.groups.add(*self.cleaned_data["roles"])


class AccountCreationForm(RolesForm, UserCreationForm):  # type: ignore[misc]
    """A new account with a role may open the admin, which roles are for."""

    class Meta(UserCreationForm.Meta):  # type: ignore[misc]
        model = User

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        if self.cleaned_data["roles"]:
            self.instance.is_staff = True
        account: User = super().save(commit)
        return account


class AccountForm(RolesForm, UserChangeForm):  # type: ignore[misc]
    class Meta(UserChangeForm.Meta):  # type: ignore[misc]
        model = User
