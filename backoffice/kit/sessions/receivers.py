from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from backoffice.kit.sessions.service import end_outdated, note_browser

ENDING = {"password", "is_active"}  # the fields that may end sessions


@receiver(user_logged_in)
def began_session(request: HttpRequest, **_: object) -> None:
    note_browser(request)


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def account_saved(
    instance: AbstractBaseUser,
    created: bool,  # noqa: FBT001 - Django's signature
    update_fields: Collection[str] | None,
    **_: object,
) -> None:
    if not created and (update_fields is None or ENDING & {*update_fields}):
        end_outdated(instance)
