"""Columns and indexes by which each part of a backlog is counted in the same time, however many objects the others have.

It writes the table of bindings anew, with everybody waiting: it is of before the first release.
"""

from django.db import migrations, models


def is_due() -> models.Q:
    return models.Q(wanted__gt=models.F("delivered")) | models.Q(unconfirmed=True)


PART = models.Case(
    models.When(models.Q(on_hold=True), then=models.Value("on hold")),
    models.When(models.Q(in_doubt=True), then=models.Value("in doubt")),
    models.When(is_due() & models.Q(rejected__gte=models.F("wanted")), then=models.Value("rejected")),
    models.When(is_due(), then=models.Value("pending")),
)
BLOCKED = models.Q(rejected__isnull=False) | models.Q(in_doubt=True) | models.Q(on_hold=True)


class Migration(migrations.Migration):
    dependencies = [("syncer", "0003_private_networks")]
    operations = [
        migrations.RemoveIndex("binding", "syncer_binding_due"),
        migrations.RemoveIndex("binding", "syncer_binding_blocked"),
        migrations.RemoveIndex("binding", "syncer_binding_failed"),
        migrations.AddField(
            "binding",
            "backlog",
            models.GeneratedField(
                db_persist=True,
                expression=PART,
                help_text="The part of the backlog that the object is in: pending, rejected, in doubt or on hold. "
                "Empty: none.",
                output_field=models.CharField(max_length=16, null=True),
            ),
        ),
        migrations.AddField(
            "binding",
            "delete_waits",
            models.BooleanField(
                db_default=False,
                help_text="A run left this delete, one of too many, to a person. The next claim of the object ends it.",
            ),
        ),
        migrations.AddIndex(
            "binding",
            models.Index(
                fields=["route", "backlog", "id"], condition=models.Q(due=True), name="syncer_binding_due"
            ),
        ),
        migrations.AddIndex(
            "binding",
            models.Index(fields=["route", "backlog", "id"], condition=BLOCKED, name="syncer_binding_blocked"),
        ),
        migrations.AddIndex(
            "binding",
            models.Index(
                fields=["route", "backlog", "not_before"],
                condition=models.Q(tries__gt=0),
                name="syncer_binding_failed",
            ),
        ),
        migrations.AddIndex(
            "binding",
            models.Index(
                fields=["route", "id"],
                condition=models.Q(due=True, delete_waits=True),
                name="syncer_binding_left",
            ),
        ),
        migrations.AddIndex(
            "binding",
            models.Index(
                fields=["route", "settled_at"],
                condition=models.Q(settled_at__isnull=False),
                name="syncer_binding_settled",
            ),
        ),
    ]
