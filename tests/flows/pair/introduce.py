"""Let a node know its peer: `python -m tests.flows.pair.introduce NODE ADDRESS SIGN_IN`, with the first's settings.

SIGN_IN is `password`, by which each run fetches a token, or `key`.
"""

import os
import sys
from datetime import timedelta

import django
from django.conf import settings

RIGHTS = ("push_as_peer", "view_order", "add_order", "change_order", "delete_order", "reopen_order")


def introduce(node: str, address: str, sign_in: str) -> None:
    """Make the peer's account and key here, a target at its address, and a route of orders."""
    from django.contrib.auth.models import Permission
    from django.utils import timezone

    from backoffice.accounts.models import ApiKey, User, digest
    from syncer.models import Route, Target
    from tests.flows.pair.node import KEY, PASSWORD, TIMEOUT

    user = User.objects.create_user(node, password=os.environ[PASSWORD])
    user.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS))
    _, prefix, secret = os.environ[KEY].split("_")
    tomorrow = timezone.now() + timedelta(days=1)
    key = ApiKey(user=user, name="peer", full_access=True, prefix=prefix, digest=digest(secret), expires=tomorrow)
    key.save()
    ways = {
        "password": {
            "auth": "jwt",
            "auth_user": settings.NODE,
            "auth_secret": f"env:{PASSWORD}",
            "auth_url": "/api/token/",
        },
        "key": {"auth": "bearer", "auth_secret": f"env:{KEY}"},
    }
    target = Target(
        name=node,
        kind="peer",
        url=f"{address}/api",
        peer_node=node,
        peer_user=user,
        timeout=TIMEOUT,
        **ways[sign_in],
    )
    target.full_clean()
    target.save()
    route = Route(target=target, model="orders.Order", trigger="change", max_deletes=1_000_000)
    route.full_clean()
    route.save()


def main() -> None:
    node, address, sign_in = sys.argv[1:]
    django.setup()
    introduce(node, address, sign_in)


if __name__ == "__main__":
    main()
