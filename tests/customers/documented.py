"""The examples of the Customers API: what is sent, and the shape of what comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: Kinds of values in a shape, besides Python's own types and literal values.
NUMBER, TIME, SECRET = "a number", "a time", "a customer key"
PATTERNS = {
    TIME: re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    SECRET: re.compile(r"sk-cust-[0-9a-f]{32}"),
}

SCOPES = ["inference:read", "inference:write"]
STARTUP = {"name": "Tech Startup PH", "email": "founder@techstartup.ph", "tier": "startup"}
METADATA = {"industry": "SaaS", "employees": 25, "region": "Cebu"}


@dataclass(frozen=True, kw_only=True)
class Example:
    """
    One request and its answer; ``{customer}``, ``{key}`` and times like ``{later}`` in it are filled in.

    A shape is a literal value, a type, a kind of value, a list of one shape that every item has, or an object whose
    fields are all there; an answer may have more fields.
    """

    call: str
    status: int
    shape: Any
    body: Mapping[str, Any] | None = None


LIST = Example(
    call="GET /customers?limit=10&status=active",
    status=200,
    shape={
        "data": [
            {
                "id": str, "name": str, "email": str, "status": "active", "tier": "startup", "created_at": TIME,
                "last_active": TIME, "metadata": dict,
            }
        ],
        "pagination": {"total": int, "limit": 10, "offset": 0, "has_more": bool},
    },
)  # fmt: skip

CREATE = Example(
    call="POST /customers",
    body={**STARTUP, "metadata": METADATA},
    status=201,
    shape={
        "id": str, **STARTUP, "status": "active", "api_key": SECRET, "created_at": TIME, "metadata": METADATA,
    },
)  # fmt: skip

GET = Example(
    call="GET /customers/{customer}",
    status=200,
    shape={
        "id": "{customer}", **STARTUP, "status": "active", "created_at": TIME, "last_active": TIME,
        "usage": {"requests_this_month": int, "tokens_this_month": int, "credits_remaining": 1200.5},
        "limits": {"daily_requests": 100000, "rate_limit": 1000, "max_tokens_per_request": 16384},
        "metadata": METADATA,
    },
)  # fmt: skip

UPDATE = Example(
    call="PATCH /customers/{customer}",
    body={"tier": "enterprise", "metadata": {"employees": 50}},
    status=200,
    shape={
        "id": "{customer}", "name": str, "email": str, "status": "active", "tier": "enterprise", "updated_at": TIME,
        "metadata": {**METADATA, "employees": 50},
    },
)  # fmt: skip

USAGE = Example(
    call="GET /customers/{customer}/usage?start_date=2026-02-01&end_date=2026-02-21&group_by=day",
    status=200,
    shape={
        "customer_id": "{customer}",
        "period": {"start": "2026-02-01T00:00:00Z", "end": "2026-02-21T23:59:59Z"},
        "summary": {
            "total_requests": int, "total_tokens": int, "total_cost": NUMBER, "average_latency_ms": NUMBER,
        },
        "breakdown": [
            {
                "date": "2026-02-21", "requests": int, "tokens": int, "cost": NUMBER,
                "by_model": {
                    "inno-ai-boyong-4.5": {"requests": int, "tokens": int, "cost": NUMBER},
                    "inno-flux-1-dev": {"requests": int, "cost": NUMBER},
                },
            }
        ],
    },
)  # fmt: skip

LIST_KEYS = Example(
    call="GET /customers/{customer}/api-keys",
    status=200,
    shape={
        "data": [
            {"id": str, "name": str, "scopes": [str], "status": "active", "last_used": TIME, "created_at": TIME}
        ]
    },
)  # fmt: skip

CREATE_KEY = Example(
    call="POST /customers/{customer}/api-keys",
    body={"name": "Mobile App", "scopes": SCOPES, "expires_at": "{later}"},
    status=201,
    shape={
        "id": str, "key": SECRET, "name": "Mobile App", "scopes": SCOPES, "status": "active", "created_at": TIME,
        "expires_at": "{later}",
    },
)  # fmt: skip

REVOKE_KEY = Example(
    call="DELETE /customers/{customer}/api-keys/{key}",
    status=200,
    shape={"id": "{key}", "revoked": True, "revoked_at": TIME},
)

SUSPEND = Example(
    call="POST /customers/{customer}/suspend",
    body={"reason": "Payment overdue", "until": "{later}"},
    status=200,
    shape={
        "id": "{customer}", "status": "suspended", "suspended_at": TIME, "suspended_until": "{later}",
        "suspension_reason": "Payment overdue",
    },
)  # fmt: skip

#: No answer is printed for it; it has that of the suspension, as the two are a pair.
REACTIVATE = Example(
    call="POST /customers/{customer}/reactivate", status=200, shape={"id": "{customer}", "status": "active"}
)

DELETE = Example(
    call="DELETE /customers/{customer}",
    status=200,
    shape={"id": "{customer}", "deleted": True, "deleted_at": TIME},
)

REFUSALS = [
    Example(
        call="GET /customers/cust_unknown",
        status=404,
        shape={
            "code": "customer_not_found",
            "message": "Customer cust_unknown not found",
            "type": "not_found_error",
        },
    ),
    Example(
        call="POST /customers",
        body={**STARTUP, "tier": "ultra"},
        status=400,
        shape={
            "code": "invalid_tier",
            "message": "Invalid tier 'ultra'. Valid tiers are: free, developer, startup, enterprise",
            "type": "validation_error",
        },
    ),
    Example(
        call="POST /customers",
        body=STARTUP,
        status=409,
        shape={
            "code": "duplicate_email",
            "message": "A customer with email 'founder@techstartup.ph' already exists",
            "type": "conflict_error",
        },
    ),
]


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """Return ``value`` with the names in braces filled in, wherever it holds text."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], value)
    if isinstance(value, Mapping):
        return {key: filled(one, names) for key, one in value.items()}
    return [filled(one, names) for one in value] if isinstance(value, list) else value


def misfits(value: Any, shape: Any, at: str = "") -> Iterator[str]:
    """Yield where ``value`` has not the ``shape``, a line each."""
    if isinstance(shape, Mapping):
        for name, one in shape.items():
            if not isinstance(value, Mapping) or name not in value:
                yield f"{at}.{name} is missing"
            else:
                yield from misfits(value[name], one, f"{at}.{name}")
    elif isinstance(shape, list) and shape and not isinstance(shape[0], str):
        if not isinstance(value, list) or not value:
            yield f"{at} is no list with something in it: {value!r}"
        else:
            for number, one in enumerate(value):
                yield from misfits(one, shape[0], f"{at}[{number}]")
    elif not _is(value, shape):
        yield f"{at} is {value!r} and not {shape!r}"


def _is(value: Any, shape: Any) -> bool:
    """Tell whether a value without parts is what the shape says."""
    if isinstance(shape, type):
        return isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
    if shape == NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(shape, str) and shape in PATTERNS:
        return isinstance(value, str) and PATTERNS[shape].fullmatch(value) is not None
    return bool(value == shape and isinstance(value, bool) == isinstance(shape, bool))
