"""Fill the database of DATABASE_URL: `python -m bench.prepare` migrates it, `python -m bench.prepare 9` adds posts."""

import sys

import django

from bench.stage import PASSWORD, POSTS


def main() -> None:
    django.setup()
    if len(sys.argv) > 1:
        fill(int(sys.argv[1]))
    else:
        migrate()


def migrate() -> None:
    """Create the tables, an administrator, and an editor who may do everything with posts and comments."""
    from django.contrib.auth.models import Group, Permission
    from django.core.management import call_command

    from backoffice.accounts.models import User

    call_command("migrate", verbosity=0)
    User.objects.create_superuser("admin", password=PASSWORD)
    group = Group.objects.create(name="Editors")
    group.permissions.set(Permission.objects.filter(content_type__app_label="news"))
    User.objects.create_user("editor", password=PASSWORD).groups.add(group)


def fill(number: int) -> None:
    """Add posts with their history, and a target of which 8 % are planned."""
    from django.db import connection

    from syncer.engine.plan import anchor, plan
    from syncer.models import Route, Target
    from syncer.models.routemap import RouteMap

    planned = max(1, number * 8 // 100)
    target = Target.objects.create(name="remote", url="http://127.0.0.1:9")
    fields = {"userId": "user_id", "title": "title", "body": "body"}
    route = Route.objects.create(target=target, model="news.Post", path="/posts", fields=fields, existing="create")
    with connection.cursor() as cursor:
        cursor.execute(POSTS.format(table="news_post", first=1, number=planned))
        anchor(route)
        plan(RouteMap(target), route)
        cursor.execute(POSTS.format(table="news_post", first=planned + 1, number=number))
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
