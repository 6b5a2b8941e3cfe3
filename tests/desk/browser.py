"""A real browser for tests: Debian's Chromium driven by Playwright."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any, TypeVar

import pytest
from django.db import connections
from playwright.sync_api import Page, sync_playwright

from config.management.commands.screenshots import BROWSERS, QUIET

T = TypeVar("T")

#: Where pictures of failures are kept.
FAILURES = Path(os.environ.get("SCREENSHOTS", ".pytest_cache/screenshots"))


def browser_path() -> str:
    """Return where Chromium is; without it skip loudly, or fail where the environment says REQUIRE_BROWSER=1."""
    found = os.environ.get("CHROMIUM") or next((path for name in BROWSERS if (path := which(name))), None)
    if found is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1 is set and no Chromium was found")
        warnings.warn_explicit("NO CHROMIUM FOUND: the browser tests are skipped", pytest.PytestWarning, __file__, 1)
        pytest.skip("no Chromium was found")
    return found


@contextmanager
def open_page(name: str) -> Iterator[Page]:
    """Yield a page of a fresh browser; if the block fails, keep a picture of it under ``name``."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(QUIET))
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(15_000)
        try:
            yield page
        except BaseException:
            FAILURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=FAILURES / f"{name}.png", full_page=True)
            raise
        finally:
            browser.close()


def apart(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """
    Call ``function``, which uses the database, in a thread of its own and close its connection.

    Playwright keeps an event loop in this thread while a browser is open, and Django refuses queries beside one.
    """

    def call() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(call).result()
