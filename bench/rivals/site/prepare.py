"""Fill the rivals' database of DATABASE_URL: `python -m bench.rivals.site.prepare NUMBER`."""

import sys

import django

from bench.stage import PASSWORD, POSTS

TOKEN = "1" * 40


def main() -> None:
    django.setup()
    from django.contrib.auth.models import Group, Permission, User
    from django.core.management import call_command
    from django.db import connection
    from rest_framework.authtoken.models import Token

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)  # this app has no migrations, and its tables need auth's
    group = Group.objects.create(name="Editors")
    group.permissions.set(Permission.objects.filter(content_type__app_label="site"))
    user = User.objects.create_user("editor", password=PASSWORD)
    user.groups.add(group)
    Token.objects.create(key=TOKEN, user=user)
    number = int(sys.argv[1])
    with connection.cursor() as cursor:
        for name in ("site_post", "site_recordedpost"):
            cursor.execute(POSTS.format(table=name, first=1, number=number))
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
