"""``manage.py screenshots``: photograph the running product's main pages for the README."""

from __future__ import annotations

import os
import secrets
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from billing.models import Invoice, Wallet
from catalog.models import RatePlan
from customers.models import Customer

#: Where Debian and others put the browser.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: Without these the browser looks for its maker's servers at every start.
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PHOTOGRAPHER = "photographer"
#: The pages that are photographed with their menu of actions open.
WITH_OPEN_MENU = frozenset({"customer"})


def pages() -> dict[str, str]:
    """Return what to photograph: the name of each picture and the path of its page."""
    newest: dict[str, Any] = {
        "invoice": Invoice.objects.finalized().first(),
        "customer": Customer.objects.live().real().filter(children__isnull=False).order_by("created_at").first(),
        "rateplan": RatePlan.objects.first(),
        "wallet": Wallet.objects.first(),
    }
    of_objects = {
        name: f"/admin/{obj._meta.app_label}/{obj._meta.model_name}/{obj.pk.replace('_', '_5F')}/change/"
        for name, obj in newest.items()
        if obj is not None
    }
    return {
        "dashboard": "/admin/",
        "customers": "/admin/customers/customer/",
        "statements": "/admin/billing/customerstatement/",
        "api": "/v1/docs",
        **of_objects,
    }


class Command(BaseCommand):
    """Photograph pages."""

    help = "Photographs the main pages of a running product (start it with demo) into a folder of PNG files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address, the folder and the browser."""
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the product answers (%(default)s)")
        parser.add_argument("--into", type=Path, default=Path(".readme"), help="folder of the pictures (%(default)s)")
        parser.add_argument("--only", action="append", help="names of pictures; all without")
        parser.add_argument("--browser", default=os.environ.get("CHROMIUM", ""), help="path of Chromium")

    def handle(self, *args: Any, **options: Any) -> None:
        """Log in as an operator made for this, photograph, and leave no login behind."""
        try:
            from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a development dependency
        except ImportError as error:
            raise CommandError("playwright is not installed; it comes with the dev dependencies") from error
        browser_path = options["browser"] or next((path for name in BROWSERS if (path := which(name))), None)
        if browser_path is None:
            raise CommandError("no Chromium found; give its path with --browser")
        todo = {name: path for name, path in pages().items() if not options["only"] or name in options["only"]}
        options["into"].mkdir(parents=True, exist_ok=True)
        with _login() as password, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=list(QUIET))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{options['url']}/admin/login/")
            page.fill("#id_username", PHOTOGRAPHER)
            page.fill("#id_password", password)
            page.click("button[type=submit]")
            for name, path in todo.items():
                page.goto(f"{options['url']}{path}", wait_until="networkidle")
                if name in WITH_OPEN_MENU:
                    page.get_by_role("button", name="Actions").click()
                    # The menu fades in.
                    page.wait_for_timeout(500)
                target = options["into"] / f"{name}.png"
                page.screenshot(path=target)
                self.stdout.write(str(target))
            browser.close()


@contextmanager
def _login() -> Iterator[str]:
    """Keep an operator that may see everything inside the block and give its password; afterwards it cannot log in."""
    password = secrets.token_urlsafe(24)
    user, _ = User.objects.get_or_create(username=PHOTOGRAPHER)
    user.is_staff = user.is_superuser = user.is_active = True
    user.set_password(password)
    user.save()
    try:
        yield password
    finally:
        user.is_active = user.is_staff = user.is_superuser = False
        user.set_unusable_password()
        user.save()
