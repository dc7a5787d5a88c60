"""Let a node know its peer: `python -m tests.flows.pair.introduce NODE ADDRESS`, with the settings of the first."""

import os
import sys

import django

RIGHTS = ("speak_as_peer", "view_order", "add_order", "change_order", "delete_order", "reopen_order")


def main() -> None:
    node, address = sys.argv[1:]
    django.setup()
    from django.contrib.auth.models import Permission

    from backoffice.accounts.models import User
    from syncer.models import Route, Target
    from tests.flows.pair.node import PASSWORD, TIMEOUT

    user = User.objects.create_user(node, password=os.environ[PASSWORD])
    user.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS))
    target = Target(
        name=node,
        kind="peer",
        url=f"{address}/api",
        auth="jwt",
        auth_user=os.environ["BACKOFFICE_NODE"],
        auth_secret=f"env:{PASSWORD}",
        auth_url="/api/token/",
        peer_node=node,
        peer_user=user,
        timeout=TIMEOUT,
        allow_private=True,
    )
    target.full_clean()
    target.save()
    route = Route(target=target, model="orders.Order", trigger="change")
    route.full_clean()
    route.save()


if __name__ == "__main__":
    main()
