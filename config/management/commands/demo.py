"""``manage.py demo``: the product with data to look at, an operator's login and an operator key."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from config.demo.house import furnish, is_furnished
from config.kernel.history import acting_as
from config.kernel.secrets import issued_secrets
from config.management.commands import up
from credentials.models import OperatorKey
from credentials.operations.operator_keys import create_operator_key, revoke_operator_key

OPERATOR = "operator"
KEY_NAME = "demo"


class Command(up.Command):
    """Fill an empty house with the demo's data, then run it like ``up``."""

    help = "Does what up does, with demo data; prints an operator's login and an operator key, new ones at each start."

    def before_serving(self) -> None:
        """Furnish unless it was done, and hand out the login and the key."""
        now = timezone.now()
        with acting_as("command demo"):
            if not is_furnished():
                self.stdout.write("Filling the house with real usage traces; this takes a few seconds.")
                with transaction.atomic():
                    furnish(now=now)
            password = give_password()
            key = give_key(now)
        self.stdout.write(f"Login:        {OPERATOR} / {password}")
        self.stdout.write(f"Operator key: {key}")


def give_password() -> str:
    """Return a new password of the demo's operator; only its hash is kept, so every start makes another."""
    password = secrets.token_urlsafe(9)
    user, _ = User.objects.get_or_create(username=OPERATOR, defaults={"is_staff": True, "is_superuser": True})
    user.set_password(password)
    user.save()
    return password


def give_key(now: datetime) -> str:
    """Return the secret of a new operator key with all scopes, and revoke the one of the start before."""
    for old in OperatorKey.objects.usable(now).filter(name=KEY_NAME):
        revoke_operator_key(old.id, now=now)
    with issued_secrets() as issued:
        create_operator_key(name=KEY_NAME, scopes=["*"], now=now)
    return issued[0].shown_once["key"]
