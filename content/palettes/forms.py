"""The forms for the members of a team."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from content.base.forms import ContentForm, PagedFormSet
from content.palettes import services
from content.palettes.models import Membership
from content.palettes.people import name_of, user_named


class UserNameField(forms.CharField):
    """A user by name. A list to choose from would reveal every user's name to everybody."""

    # Named by itself too: in a table of members only the heading of the column shows a label.
    widget = UnfoldAdminTextInputWidget(attrs={"aria-label": _("User name")})

    def to_python(self, value: Any) -> Any:
        name = super().to_python(self.prepare_value(value))
        return user_named(name) if name else None

    def prepare_value(self, value: Any) -> Any:
        return name_of(value) if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class UserShown(UserNameField):
    """The user of an existing membership, who can't be changed. Inactive users are shown too."""

    def to_python(self, value: Any) -> Any:
        return get_user_model()._default_manager.filter(pk=value).first()


class MembershipForm(ContentForm):
    user = UserNameField(label=_("User name"), help_text=_("The name by which the new member signs in."))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk is not None and "user" in self.fields:
            self.fields["user"] = UserShown(label=_("User name"), disabled=True, required=False)


class MembershipFormSet(PagedFormSet):
    """The members of one team."""

    def clean(self) -> None:
        super().clean()
        leaving = [form.instance for form in self.deleted_forms if form.instance.pk]
        joining = [form for form in self.extra_forms if form.has_changed() and form not in self.deleted_forms]
        staying = Membership.objects.filter(team_id=self.instance.pk).exclude(pk__in=[item.pk for item in leaving])
        if leaving and not joining and not staying.exists():
            raise services.LastMemberError(leaving[-1].user)

    def get_unique_error_message(self, unique_check: Any) -> str:
        return gettext("This user is a member already.")

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Save new members before others leave: a new member may replace the last one."""
        if not commit:
            return super().save(commit=False)
        return self.save_new_objects() + self.save_existing_objects()
