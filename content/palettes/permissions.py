"""Permissions to use the domain, which every account has. Membership decides which rows exist for a user."""

from typing import Any

from django.contrib.auth.backends import BaseBackend

VERBS = ("add", "change", "delete", "view")  # files need a role, as everywhere
MODELS = ("team", "membership", "palette")
GRANTED = frozenset(f"palettes.{verb}_{model}" for verb in VERBS for model in MODELS)


class MemberBackend(BaseBackend):
    """Grants every active user this domain's permissions on its models; signs nobody in. See docs/adr/0006."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return {*GRANTED} if user_obj.is_active and not user_obj.is_anonymous and obj is None else set()

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return app_label == "palettes" and bool(self.get_user_permissions(user_obj))
