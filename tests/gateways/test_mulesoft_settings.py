"""MuleSoft: what a connection and a mapping are asked for, and what of the limits can be kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalog.gateways.failures import ObjectMissing
from catalog.gateways.interface import Connection
from catalog.gateways.mulesoft import MuleSoftAdapter
from catalog.gateways.mulesoft.anypoint import HOSTS
from catalog.limits import BY_NAME, Limit
from tests.gateways.fakes.api_manager import ENVIRONMENT, ORGANIZATION, SETTINGS
from tests.gateways.fakes.mulesoft import FakeAnypoint
from tests.gateways.mulesoft_cases import GOLD, REF, connected, judged


@pytest.fixture
def mule() -> Iterator[FakeAnypoint]:
    with judged() as fake:
        yield fake


def test_the_connection_is_tested_by_what_it_has_to_read(mule: FakeAnypoint) -> None:
    assert connected(mule).probe().sentence == "Answers as v1 Anypoint API Manager"

    with pytest.raises(ObjectMissing, match="no such environment"):
        connected(mule, settings={**SETTINGS, "environment_id": "another"}).probe()


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("rate_per_second", "exact"), ("rate_per_minute", "exact"), ("rate_per_hour", "exact"),
        ("burst", "unsupported"), ("quota_per_day", "exact"), ("quota_per_week", "exact"),
        ("quota_per_month", "approximate"),
    ],
)  # fmt: skip
def test_it_says_how_well_it_keeps_a_limit(name: str, level: str) -> None:
    support = MuleSoftAdapter.supports(Limit(1, BY_NAME[name]), SETTINGS)

    assert support.level == level
    assert level == "exact" or support.why


@pytest.mark.parametrize("plane", [value for value, _ in MuleSoftAdapter.setting_fields[0].choices])
def test_each_control_plane_has_a_host(plane: str) -> None:
    assert HOSTS[plane].startswith("https://")
    assert MuleSoftAdapter(
        Connection(
            id="g", vendor="MULESOFT", base_url="", settings={**SETTINGS, "control_plane": plane}, credentials={}
        )
    ).desired(GOLD, REF)


def test_ids_and_versions_are_checked_before_anything_is_asked() -> None:
    for wrong in ({"organization_id": "Acme"}, {"environment_id": "Sandbox"}, {"policy_version": "latest"}):
        with pytest.raises(ValueError, match="looks like") as refusal:
            MuleSoftAdapter.check_settings({**SETTINGS, **wrong}, "")
        assert refusal.value.args[0] in wrong

    MuleSoftAdapter.check_settings({"organization_id": ORGANIZATION, "environment_id": ENVIRONMENT}, "")


@pytest.mark.parametrize("ref", ["", "petstore", "077", "7/7", "-1", "7" * 20])
def test_an_api_instance_is_named_by_its_number(ref: str) -> None:
    with pytest.raises(ValueError, match="number"):
        MuleSoftAdapter.check_ref(ref)

    MuleSoftAdapter.check_ref("20586313")
