"""A binding says how far a sync of chosen objects has read its object's history beyond the route's mark."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("syncer", "0004_flat_backlog")]
    operations = [
        migrations.AddField(
            "binding",
            "read_to",
            models.TextField(
                null=True,
                blank=True,
                help_text="How far the history of this object was read beyond the route's mark, as a mark's position: "
                "by a sync of chosen objects.",
            ),
        )
    ]
