"""Limit a user's permissions to those of an API key, for one request."""

from typing import TYPE_CHECKING

from django.db.models import Model

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser as Base
else:
    Base = object  # a mixin: its methods call those of the user class after it

Names = set[str]  # `{"news.view_post"}`


class Scoped(Base):
    """A mixin before Django's user that removes the permissions that the scope does not name, superusers' too.

    Django's asynchronous methods don't call the others: each is limited here, or it would bypass the scope.
    """

    scope: frozenset[str] | None = None  # `{"news.view_post"}`; None for all of the user's permissions

    def _within(self, names: Names) -> Names:
        return names if self.scope is None else names & self.scope

    def _names(self, permission: str) -> bool:
        return self.scope is None or permission in self.scope

    def has_perm(self, perm: str, obj: Model | None = None) -> bool:
        return self._names(perm) and super().has_perm(perm, obj)

    async def ahas_perm(self, perm: str, obj: Model | None = None) -> bool:
        return self._names(perm) and await super().ahas_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        names = [name for name in self.scope or () if name.startswith(f"{app_label}.")]
        return (self.scope is None or any(map(self.has_perm, names))) and super().has_module_perms(app_label)

    async def ahas_module_perms(self, app_label: str) -> bool:
        names = await self.aget_all_permissions()
        return any(name.startswith(f"{app_label}.") for name in names)

    def get_user_permissions(self, obj: Model | None = None) -> Names:
        return self._within(super().get_user_permissions(obj))

    async def aget_user_permissions(self, obj: Model | None = None) -> Names:
        return self._within(await super().aget_user_permissions(obj))

    def get_group_permissions(self, obj: Model | None = None) -> Names:
        return self._within(super().get_group_permissions(obj))

    async def aget_group_permissions(self, obj: Model | None = None) -> Names:
        return self._within(await super().aget_group_permissions(obj))

    def get_all_permissions(self, obj: Model | None = None) -> Names:
        return self._within(super().get_all_permissions(obj))

    async def aget_all_permissions(self, obj: Model | None = None) -> Names:
        return self._within(await super().aget_all_permissions(obj))
