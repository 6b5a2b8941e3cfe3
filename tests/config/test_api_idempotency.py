"""A POST that is sent again has its effect once and gets the same answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from catalog.models import Product
from config.api.models import IdempotencyRecord
from tests.config import api_desk
from tests.config.api_desk import SECRET, api, make_product, new_product

pytestmark = [pytest.mark.urls("tests.config.api_desk"), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _no_runs_yet() -> None:
    api_desk.runs.clear()
    api_desk.go_on.clear()
    api_desk.running.clear()


def post(body: dict[str, Any], key: str | None = "k1", *, path: str = "", caller: str = "all") -> Any:
    headers: dict[str, Any] = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    return api(caller, raise_request_exception=False).post(f"/v1/products{path}", body, **headers)


def test_the_same_request_again_gets_the_same_answer_and_has_no_effect() -> None:
    first = post(new_product())

    again = post(new_product())

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (again["Location"], again["ETag"]) == (first["Location"], first["ETag"])
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Product.objects.count() == 1


def test_without_a_key_every_request_counts() -> None:
    assert post(new_product("a"), key=None).status_code == 201
    assert post(new_product("b"), key=None).status_code == 201
    assert IdempotencyRecord.objects.count() == 0


def test_the_order_of_the_fields_is_no_difference() -> None:
    body = new_product()
    first = post(body)

    again = post(dict(reversed(body.items())))

    assert again.content == first.content


@pytest.mark.parametrize("other", [{"path": "/quote"}, {"body": new_product("other")}])
def test_the_same_key_for_another_request_is_refused(other: dict[str, Any]) -> None:
    post(new_product())

    answer = post(**{"body": new_product(), **other})

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert api_desk.runs == ["llm"]


def test_the_same_key_of_another_caller_is_another_key() -> None:
    post(new_product("a"))

    answer = post(new_product("b"), caller="other")

    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer


def test_a_key_is_kept_for_24_hours() -> None:
    post(new_product("a"))
    IdempotencyRecord.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    assert post(new_product("a"))["Idempotency-Replayed"] == "true"

    IdempotencyRecord.objects.update(expires_at=timezone.now())
    answer = post(new_product("b"))

    assert answer.status_code == 201
    kept = IdempotencyRecord.objects.get()
    assert kept.expires_at - kept.created_at == timedelta(hours=24)
    assert "b" in kept.body


@pytest.mark.parametrize("key", ["", "k" * 256, "ä", "a\tb"])
def test_a_key_that_is_no_key_is_refused(key: str) -> None:
    answer = post(new_product(), key)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_idempotency_key")
    assert Product.objects.count() == 0


def test_the_longest_key_is_taken() -> None:
    assert post(new_product(), "k" * 255).status_code == 201


def test_a_conflict_that_came_of_executing_the_request_is_kept() -> None:
    make_product()
    first = post(new_product())
    Product.objects.all().delete()

    again = post(new_product())

    assert (first.status_code, again.status_code) == (409, 409)
    assert again["Idempotency-Replayed"] == "true"
    assert {**again.json()["error"], "request_id": ""} == {**first.json()["error"], "request_id": ""}
    assert again.json()["error"]["request_id"] == again["X-Request-ID"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("", {}, 400), ("/prod_unknown/advance", {"to": "BETA"}, 404), ("/broken", new_product(), 500)],
)
def test_what_was_not_executed_or_failed_leaves_the_key_free(path: str, body: dict[str, Any], status: int) -> None:
    assert post(body, path=path).status_code == status

    assert IdempotencyRecord.objects.count() == 0
    assert post(new_product()).status_code == 201


def test_an_answer_that_cannot_be_printed_keeps_nothing() -> None:
    assert post(new_product(), path="/unprintable").status_code == 500

    assert IdempotencyRecord.objects.count() == Product.objects.count() == 0


def test_a_secret_is_shown_once_and_not_kept() -> None:
    first = post({}, path="/key").json()
    assert first["forgotten"] == [{"text": SECRET}]
    assert (first["api_key"], first["credential"]["key"]) == ("also declared", "declared")

    again = post({}, path="/key")

    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == {
        "api_key": None,
        "credential": {"id": "key_1", "key": None, "last_four": "ared", "secret_already_shown": True},
        "forgotten": [{"text": None, "secret_already_shown": True}],
        "secret_already_shown": True,
    }
    kept = IdempotencyRecord.objects.values().get()
    assert not [text for text in (SECRET, "declared") if text in str(kept)]


def test_a_request_is_authorized_before_it_is_replayed() -> None:
    post(new_product())

    assert post(new_product(), caller="reader").status_code == 403


def in_thread(call: Any, *args: Any) -> Any:
    try:
        return call(*args)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_copy_that_comes_while_the_first_runs_is_told_so_at_once() -> None:
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(in_thread, lambda: post(new_product(), path="/slow"))
        assert api_desk.running.wait(20)
        meanwhile = post(new_product(), path="/slow")
        unrelated = post(new_product("b"), key="k2")
        api_desk.go_on.set()
        first = slow.result(20)
    again = post(new_product(), path="/slow")

    assert (meanwhile.status_code, meanwhile.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    assert (first.status_code, unrelated.status_code) == (201, 201)
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
    assert api_desk.runs == ["llm", "b"]


@pytest.mark.django_db(transaction=True)
def test_of_many_copies_at_once_one_has_the_effect() -> None:
    keys, copies = 10, 8
    start = threading.Barrier(copies)

    def send(number: int) -> list[Any]:
        start.wait(20)
        return [post(new_product(f"p{key}"), f"key-{key}") for key in range(keys)]

    with ThreadPoolExecutor(copies) as pool:
        answers = [one for sent in pool.map(lambda number: in_thread(send, number), range(copies)) for one in sent]

    assert Product.objects.count() == keys
    assert sorted(api_desk.runs) == sorted(f"p{key}" for key in range(keys))
    assert {answer.status_code for answer in answers} <= {201, 409}
    refused = [answer.json()["error"]["code"] for answer in answers if answer.status_code == 409]
    assert set(refused) <= {"idempotency_key_in_use"}
    fresh = [answer for answer in answers if answer.status_code == 201 and "Idempotency-Replayed" not in answer]
    assert len(fresh) == keys
