"""The system customer that usage without an owner is kept on."""

from django.db import migrations
from django.utils import timezone

UNCLASSIFIED_ID = "cust_00000000000000000000000000"


def make(apps, schema_editor):
    now = timezone.now()
    apps.get_model("customers", "Customer").objects.create(
        id=UNCLASSIFIED_ID, name="UNCLASSIFIED", email="unclassified@meterdesk.invalid", created_at=now, updated_at=now
    )


def remove(apps, schema_editor):
    apps.get_model("customers", "Customer").objects.filter(id=UNCLASSIFIED_ID).delete()


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [migrations.RunPython(make, remove)]
