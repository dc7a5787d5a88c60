"""What an API key leaves of its user's permissions, for the length of one request."""

from typing import Any

Names = set[str]  # `{"news.view_post"}`


class Scoped:
    """Stands before Django's permissions of a user and takes away what the scope does not name, superusers too.

    The asynchronous methods are Django's own entrances beside the others; one left open would be a way around.
    """

    scope: frozenset[str] | None = None  # `{"news.view_post"}`; None: all that the user has

    def _within(self, found: Names) -> Names:
        return found if self.scope is None else found & self.scope

    def _names(self, permission: str) -> bool:
        return self.scope is None or permission in self.scope

    def _reaches(self, app_label: str) -> bool:
        return self.scope is None or any(self.has_perm(name) for name in self.scope if name.startswith(f"{app_label}."))

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self._names(perm) and super().has_perm(perm, obj)  # type: ignore[misc]

    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        return self._names(perm) and await super().ahas_perm(perm, obj)  # type: ignore[misc]

    def has_module_perms(self, app_label: str) -> bool:
        return self._reaches(app_label) and super().has_module_perms(app_label)  # type: ignore[misc]

    async def ahas_module_perms(self, app_label: str) -> bool:
        found = await self.aget_all_permissions()
        return any(name.startswith(f"{app_label}.") for name in found)

    def get_user_permissions(self, obj: Any = None) -> Names:
        return self._within(super().get_user_permissions(obj))  # type: ignore[misc]

    async def aget_user_permissions(self, obj: Any = None) -> Names:
        return self._within(await super().aget_user_permissions(obj))  # type: ignore[misc]

    def get_group_permissions(self, obj: Any = None) -> Names:
        return self._within(super().get_group_permissions(obj))  # type: ignore[misc]

    async def aget_group_permissions(self, obj: Any = None) -> Names:
        return self._within(await super().aget_group_permissions(obj))  # type: ignore[misc]

    def get_all_permissions(self, obj: Any = None) -> Names:
        return self._within(super().get_all_permissions(obj))  # type: ignore[misc]

    async def aget_all_permissions(self, obj: Any = None) -> Names:
        return self._within(await super().aget_all_permissions(obj))  # type: ignore[misc]
