"""People who may do some things with orders."""

from django.contrib.auth.models import Permission

from backoffice.accounts.models import User
from tests.content.api_client import ApiClient

EDIT = ("view_order", "add_order", "change_order", "delete_order")


def person(*codenames: str, name: str = "packer") -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="orders", codename__in=codenames))
    return user


def api(*codenames: str) -> ApiClient:
    """A client of somebody with these permissions; without any, those of an editor."""
    return ApiClient(person(*(codenames or EDIT)))
