"""Which private networks are contacted is a setting, PRIVATE_NETWORKS, and nothing that an editor of targets chooses."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("syncer", "0002_room_on_pages")]
    operations = [migrations.RemoveField("target", "allow_private")]
