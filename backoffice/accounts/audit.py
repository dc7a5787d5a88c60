"""What the audit trail records of accounts, groups, permissions and API keys, whoever changes them."""

from typing import Any

from django.contrib.auth.models import Group

from backoffice.accounts.models import ApiKey, User
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.watch import Watch, watch_grants

PERMISSION = ("content_type__app_label", "codename")


def start() -> None:
    Watch(
        model=User,
        created=Action.USER_CREATED,
        changed=Action.USER_CHANGED,
        deleted=Action.USER_DELETED,
        ignored=("last_login", "language", "time_zone"),
        own={"password": (Action.PASSWORD_CHANGED, _is_new_password)},
    ).start()
    Watch(model=Group, created=Action.GROUP_CREATED, changed=Action.GROUP_CHANGED, deleted=Action.GROUP_DELETED).start()
    Watch(model=ApiKey, created=Action.KEY_CREATED, changed=Action.KEY_CHANGED, deleted=Action.KEY_DELETED).start()
    watch_grants(User, "groups", "name")
    watch_grants(User, "user_permissions", *PERMISSION)
    watch_grants(Group, "permissions", *PERMISSION)


def _is_new_password(user: Any) -> bool:
    """Tell a new password from a new hash of the old one, which Django stores at a sign-in when its hasher changed."""
    return user._password is not None or not user.has_usable_password()
