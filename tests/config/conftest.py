"""What the tests of the kernel, of the admin's base among them, have in common."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.factories import make_operator


@pytest.fixture
def desk_without_navigation(settings: Any) -> None:
    """Leave out the product's navigation and dashboard, whose pages the private site of these tests has not got."""
    settings.UNFOLD = {**settings.UNFOLD, "SIDEBAR": {}, "DASHBOARD_CALLBACK": None}


@pytest.fixture
def operator() -> User:
    return make_operator(username="olga")


@pytest.fixture
def browser(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Return a function that gives a name addresses, one list after another, and returns the list of look-ups."""
    known = socket.getaddrinfo

    def set_answers(name: str, *answers: list[str]) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            if host != name:
                return known(host, port, *args, **kwargs)
            asked.append(host)
            addresses = answers[min(len(asked), len(answers)) - 1]
            kinds = [socket.AF_INET6 if ip_address(one).version == 6 else socket.AF_INET for one in addresses]
            return [(kind, socket.SOCK_STREAM, 6, "", (one, port)) for kind, one in zip(kinds, addresses, strict=True)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return set_answers
