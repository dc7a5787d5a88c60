"""The form fields of teams and palettes."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from content.base.forms import ContentForm, PagedFormSet
from content.palettes import services
from content.palettes.colors import Colors, colors_of
from content.palettes.models import Membership


class ColorsWidget(UnfoldAdminTextareaWidget):  # type: ignore[misc]
    """A text of colours; where scripts run, also a colour input for each."""

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 3, "data-colors": "", "spellcheck": "false"})

    class Media:
        js = ("palettes/colors.js",)
        css = {"all": ("palettes/colors.css",)}


class ColorsFormField(forms.Field):
    widget = ColorsWidget

    def to_python(self, value: Any) -> Colors:
        return colors_of(value)

    def prepare_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(initial) != self.to_python(data)
        except ValidationError:
            return True


class UserNameField(forms.CharField):
    """A user by name. A list to choose from would tell every name to everybody."""

    widget = UnfoldAdminTextInputWidget

    def to_python(self, value: Any) -> Any:
        name = super().to_python(self.prepare_value(value))
        return user_named(name) if name else None

    def prepare_value(self, value: Any) -> Any:
        return name_of(value) if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def name_of(key: int) -> str:
    return str(get_user_model()._default_manager.get(pk=key).get_username())


def user_named(name: str) -> Any:
    """The active user of that name.

    Raises:
        ValidationError: there is none.
    """
    users, field = get_user_model()._default_manager, get_user_model().USERNAME_FIELD
    user = None if "\0" in name else users.filter(**{field: name}, is_active=True).first()
    if user is None:
        raise ValidationError(f"There is no user “{name}”.", code="unknown")
    return user


class UserShown(UserNameField):
    """A member: a membership is made and ended, never changed, even of a user who may not sign in any more."""

    def to_python(self, value: Any) -> Any:
        return get_user_model()._default_manager.filter(pk=value).first()


class MembershipForm(ContentForm):
    user = UserNameField(label="User name", help_text="The name by which the new member signs in.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk is not None and "user" in self.fields:
            self.fields["user"] = UserShown(label="User name", disabled=True, required=False)


class MembershipFormSet(PagedFormSet):
    """The members of one team."""

    def clean(self) -> None:
        super().clean()
        going = [form.instance for form in self.deleted_forms if form.instance.pk]
        coming = [form for form in self.extra_forms if form.has_changed() and form not in self.deleted_forms]
        staying = Membership.objects.filter(team_id=self.instance.pk).exclude(pk__in=[one.pk for one in going])
        if going and not coming and not staying.exists():
            raise services.LastMember(going[-1].user)

    def get_unique_error_message(self, unique_check: Any) -> str:
        return "This user is a member already."

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """New members come before others go: one may take the place of the last."""
        if not commit:
            return super().save(commit=False)
        return self.save_new_objects() + self.save_existing_objects()
