"""Clones of products, for a new market or a pricing experiment."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.db import transaction

from catalog.models import PlanStatus, Product, RatePlan
from catalog.operations.documentation import copy_documentation
from catalog.operations.plan_copies import copy_plan
from catalog.operations.products import ProductFields, insert_product, lock_with_plans
from config.kernel.errors import Invalid

MAX_CODE_LENGTH = RatePlan._meta.get_field("code").max_length or 0


@transaction.atomic
def clone_product(product_id: str, *, name: str, code: str, now: datetime) -> Product:
    """
    Copy the product with its rate plans and its documentation.

    The clone is EXPERIMENTAL and DRAFT, its plans are drafts in version 1. Plans that are archived are left behind:
    they are not sold any more. What a plan of the clone is called by begins with the clone's ``code``, as codes of
    plans are unique. Subscriptions and gateway mappings are never copied.

    Raises:
        NotFound: unknown product.
        DuplicateCode: another product, or a plan, has the code already.
        Invalid: the code of a plan would become too long.
    """
    product, plans = lock_with_plans(product_id)
    copied = {one: getattr(product, one) for one in ("description", "audience", "openapi_url")}
    clone = insert_product(ProductFields(code=code, name=name, **copied), product_type=product.product_type, now=now)
    copy_documentation(product, clone, now=now)
    versions: dict[str, int] = defaultdict(int)
    for plan in sorted(plans, key=lambda one: (one.code, one.version)):
        if plan.status == PlanStatus.ARCHIVED:
            continue
        new_code = _code_of_copy(plan.code, of=product.code, to=code)
        versions[new_code] += 1
        copy_plan(plan, RatePlan(product=clone, code=new_code, version=versions[new_code]), now=now)
    return clone


def _code_of_copy(code: str, *, of: str, to: str) -> str:
    """
    Return the code of a plan's copy: ``chat-pro`` of ``chat`` is ``chat-eu-pro`` for ``chat-eu``, as is ``pro``.

    Raises:
        Invalid: it would be longer than a code may be.
    """
    rest = code.removeprefix(of) if code.startswith((f"{of}-", f"{of}.", f"{of}_")) else f"-{code}"
    copied = to if code == of else f"{to}{rest}"
    if len(copied) > MAX_CODE_LENGTH:
        raise Invalid(
            "code", f"The copy of the rate plan {code} would have a code of over {MAX_CODE_LENGTH} characters"
        )
    return copied
