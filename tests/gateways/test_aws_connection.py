"""AWS API Gateway: who signs, where to, through which guards, and what operators may enter."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import botocore
import pytest

from catalog.gateways import vendor_of
from catalog.gateways.aws import AwsAdapter, library
from catalog.gateways.aws.regions import REGIONS, partition_of
from catalog.gateways.failures import Misconfigured, NotAllowed, UnreadableAnswer
from tests.gateways.aws_cases import document, judged, plan, restore
from tests.gateways.fakes.aws import FakeAws
from tests.gateways.fakes.aws_front import ACCESS_KEY, REGION, SECRET_KEY
from tests.gateways.fakes.server import Fault

ROLE = "arn:aws:iam::123456789012:role/meterdesk"


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with judged() as gateway:
        yield gateway


def test_the_regions_are_those_of_the_library() -> None:
    data = json.loads((Path(botocore.__file__).parent / "data" / "endpoints.json").read_text())
    known = {
        (region, about["regions"][region]["description"])
        for about in data["partitions"]
        if about["partition"] in {"aws", "aws-cn", "aws-us-gov", "aws-eusc"}
        for region in about["services"]["apigateway"]["endpoints"]
        if region in about["regions"]
    }
    partitions = {region: about["partition"] for about in data["partitions"] for region in about["regions"]}

    assert set(REGIONS) == known
    assert {region: partition_of(region) for region, _ in REGIONS} == {one: partitions[one] for one, _ in REGIONS}


def test_the_registry_knows_the_vendor() -> None:
    assert vendor_of("AWS_API_GATEWAY") is AwsAdapter


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "eu-west-1.amazonaws.com"),
        ("cn-north-1", "cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "us-gov-west-1.amazonaws.com"),
        ("eusc-de-east-1", "eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_without_a_base_url_the_region_alone_chooses_the_host(
    region: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    credentials = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}

    addresses = [
        library.service(name, region=region, host="", credentials=credentials).meta.endpoint_url
        for name in ("apigateway", "sts")
    ]

    assert AwsAdapter.needs_base_url is False
    assert addresses == [f"https://apigateway.{host}", f"https://sts.{host}"]


def test_a_session_token_is_part_of_the_signature(fake: FakeAws) -> None:
    fake.identities[ACCESS_KEY] = (SECRET_KEY, "token/of+a=session")
    credentials = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}

    fake.adapter(credentials={**credentials, "session_token": "token/of+a=session"}).probe()
    with pytest.raises(NotAllowed):
        fake.adapter(credentials=credentials).probe()


def test_a_role_is_taken_on_once_a_job_with_its_external_id(fake: FakeAws) -> None:
    fake.roles[ROLE] = "ext-1"
    adapter = fake.adapter(settings={"region": REGION, "role_arn": ROLE, "external_id": "ext-1"})

    restore(adapter, document(plan("gold", rate_per_second=1)))

    assert [(one["RoleArn"], one["RoleSessionName"], one["ExternalId"]) for one in fake.assumed] == [
        (ROLE, "meterdesk", "ext-1")
    ]
    assert len(fake.plans) == 1
    assert all("ASIAEXAMPLE" in sent.headers["Authorization"] for sent in fake.requests() if sent.path != "/")
    assert adapter.scope == "aws eu-west-1 arn:aws:iam::123456789012"


def test_a_role_that_does_not_trust_us_is_not_allowed(fake: FakeAws) -> None:
    fake.roles[ROLE] = "ext-1"

    with pytest.raises(NotAllowed, match="403: Not authorized to perform: sts:AssumeRole"):
        fake.adapter(settings={"region": REGION, "role_arn": ROLE}).probe()


def test_credentials_of_a_role_that_have_run_out_are_renewed_once(fake: FakeAws) -> None:
    fake.roles[ROLE] = ""
    adapter = fake.adapter(settings={"region": REGION, "role_arn": ROLE})
    adapter.probe()
    headers = {"x-amzn-ErrorType": "ExpiredTokenException", "Content-Type": "application/json"}
    outlived = Fault("GET /account", status=403, body=b'{"message": "The token is expired"}', headers=headers)
    fake.faults.append(outlived)

    adapter.probe()
    assert len(fake.assumed) == 2
    outlived.times = 2
    with pytest.raises(NotAllowed, match="expired"):
        adapter.probe()


def test_junk_in_place_of_a_role_s_credentials_is_unreadable(fake: FakeAws) -> None:
    fake.roles[ROLE] = ""
    fake.faults.append(Fault("POST /$", status=200, body=b"<html>sign in"))

    with pytest.raises(UnreadableAnswer):
        fake.adapter(settings={"region": REGION, "role_arn": ROLE}).probe()


@pytest.fixture
def canary() -> Iterator[tuple[str, list[bytes]]]:
    """Yield the address of a listener and what came in."""
    heard: list[bytes] = []

    class Listener(BaseRequestHandler):
        def handle(self) -> None:
            heard.append(self.request.recv(1000))

    server = ThreadingTCPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", heard
    server.shutdown()
    server.server_close()


def test_nothing_of_the_environment_has_a_say(
    fake: FakeAws, canary: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address, heard = canary
    config = tmp_path / "config"
    config.write_text(f"[default]\nendpoint_url = {address}\nregion = us-east-1\n[profile x]\nregion = us-east-1\n")
    for name, value in {
        "HTTP_PROXY": address, "HTTPS_PROXY": address, "ALL_PROXY": address, "http_proxy": address,
        "AWS_ENDPOINT_URL": address, "AWS_ENDPOINT_URL_API_GATEWAY": address, "AWS_ENDPOINT_URL_STS": address,
        "AWS_PROFILE": "nobody", "AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(config),
        "AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT00001", "AWS_SECRET_ACCESS_KEY": "environment",
        "AWS_SESSION_TOKEN": "environment", "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1",
        "AWS_CA_BUNDLE": "/nowhere", "AWS_USE_FIPS_ENDPOINT": "true", "AWS_MAX_ATTEMPTS": "9",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": address, "AWS_CONTAINER_CREDENTIALS_FULL_URI": address,
        "AWS_DATA_PATH": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    fake.roles[ROLE] = ""

    fake.adapter(settings={"region": REGION, "role_arn": ROLE}).probe()

    assert heard == []
    assert len(fake.exchanges) == 4


def test_an_address_inside_is_refused_unless_it_is_allowed(fake: FakeAws, canary: tuple[str, list[bytes]]) -> None:
    address, heard = canary
    for settings in ({"region": REGION}, {"region": REGION, "role_arn": ROLE}):
        for base_url in (address, "http://169.254.169.254", "http://[::ffff:169.254.169.254]"):
            with pytest.raises(NotAllowed):
                fake.adapter(base_url=base_url, settings=settings, inside=()).probe()

    assert heard == []
    assert fake.exchanges == []


def test_without_the_library_operators_are_told_what_to_install(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "sdk", None)

    with pytest.raises(Misconfigured, match="install the extra «aws»"):
        fake.adapter().probe()
    assert AwsAdapter.desired(fake.adapter(), document(plan("gold")), "a1/prod")


@pytest.mark.parametrize("ref", ["a1b2c3d4e5/prod", "a1/v1-2_beta"])
def test_a_rest_api_with_a_stage_is_a_reference(ref: str) -> None:
    AwsAdapter.check_ref(ref)


@pytest.mark.parametrize(
    "ref", ["", "a1b2c3", "/prod", "a1/", "a1/$default", "a1/prod/x", "a1:prod", "a1/prod\n", "é/x"]
)
def test_anything_else_is_none(ref: str) -> None:
    with pytest.raises(ValueError, match="a1b2c3d4e5/prod"):
        AwsAdapter.check_ref(ref)


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"role_arn": ROLE},
        {"role_arn": ROLE, "external_id": "x"},
        {"region": "cn-north-1", "role_arn": "arn:aws-cn:iam::123456789012:role/path/to/meterdesk"},
    ],
)
def test_settings_that_go_together_are_taken(chosen: dict[str, str]) -> None:
    AwsAdapter.check_settings({"region": REGION, **chosen}, "")


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        ({"external_id": "x"}, "external_id"),
        ({"role_arn": "meterdesk"}, "role_arn"),
        ({"role_arn": "arn:aws:iam::12345:role/meterdesk"}, "role_arn"),
        ({"role_arn": "arn:aws:iam::123456789012:user/meterdesk"}, "role_arn"),
        ({"role_arn": ROLE, "region": "us-gov-west-1"}, "role_arn"),
    ],
)
def test_settings_that_do_not_are_refused_by_name(chosen: dict[str, str], name: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - its arguments are the name and a sentence
        AwsAdapter.check_settings({"region": REGION, **chosen}, "")

    assert refusal.value.args[0] == name


def test_operators_are_told_what_every_field_is_for() -> None:
    for field in (*AwsAdapter.setting_fields, *AwsAdapter.credential_fields):
        assert field.help
        assert field.label
    assert all(note.endswith(".") for note in AwsAdapter.capabilities({}).notes)
