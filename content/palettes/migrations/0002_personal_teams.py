"""Give existing users a personal team, as every new user gets one."""

from django.conf import settings
from django.db import migrations

from content.base.history.audit import record_history
from content.palettes.names import names_for


def give_teams(apps, schema_editor):
    User = apps.get_model(settings.AUTH_USER_MODEL)
    Team = apps.get_model("palettes", "Team")
    Membership = apps.get_model("palettes", "Membership")
    for pk, username in User.objects.order_by("pk").values_list("pk", "username").iterator(chunk_size=1000):
        name = next(name for name in names_for(username) if not Team.objects.filter(name__iexact=name).exists())
        team = Team.objects.create(name=name)
        Membership.objects.create(team=team, user_id=pk)


class Migration(migrations.Migration):
    dependencies = [
        ("palettes", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.RunPython(give_teams, migrations.RunPython.noop),
        record_history("palettes.Team", "palettes.Membership"),
    ]
