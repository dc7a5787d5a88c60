"""What permissions are called on pages: their names in the database are made in English, when it is migrated."""

from django.contrib.auth.models import Permission
from django.forms import ModelMultipleChoiceField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# Of the permissions that Django makes for each model, by the beginning of their code names.
NAMES = {
    "add": _("Can add %(name)s"),
    "change": _("Can change %(name)s"),
    "delete": _("Can delete %(name)s"),
    "view": _("Can view %(name)s"),
    "import": _("Can import %(name)s"),
    "export": _("Can export %(name)s"),
}


def name_of(permission: Permission) -> str:
    """Return the permission's name in the reader's language."""
    model = permission.content_type.model_class()
    action, _underscore, model_name = permission.codename.partition("_")
    if model is not None and action in NAMES and model_name == model._meta.model_name:
        return NAMES[action] % {"name": model._meta.verbose_name}
    return gettext(permission.name)


class PermissionsField(ModelMultipleChoiceField):  # type: ignore[type-arg]
    """The choice of permissions in a form."""

    def label_from_instance(self, obj: Permission) -> str:
        return f"{obj.content_type} | {name_of(obj)}"
