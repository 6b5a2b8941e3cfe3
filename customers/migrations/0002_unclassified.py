"""The system customer that usage without an owner is kept on."""

from django.db import migrations
from django.utils import timezone

UNCLASSIFIED_ID = "cust_00000000000000000000000000"


def make(apps, schema_editor):
    now = timezone.now()
    row = {
        "id": UNCLASSIFIED_ID,
        "name": "UNCLASSIFIED",
        "email": "unclassified@meterdesk.invalid",
        "created_at": now,
        "updated_at": now,
    }
    apps.get_model("customers", "Customer").objects.create(**row)
    # Models in migrations write no history of their own.
    apps.get_model("customers", "HistoricalCustomer").objects.create(
        **row, history_date=now, history_type="+", history_actor="migration"
    )


def remove(apps, schema_editor):
    schema_editor.execute("ALTER TABLE customers_customer DISABLE TRIGGER USER")
    apps.get_model("customers", "Customer").objects.filter(id=UNCLASSIFIED_ID).delete()
    schema_editor.execute("ALTER TABLE customers_customer ENABLE TRIGGER USER")


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [migrations.RunPython(make, remove)]
