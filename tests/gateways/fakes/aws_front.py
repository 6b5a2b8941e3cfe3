"""What is in front of AWS's services: signatures checked as they came over the wire, roles, pages, errors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, urlsplit

from catalog.gateways.aws import AwsAdapter
from catalog.gateways.interface import Connection
from tests.gateways.contract import Answered, Contract, Sent
from tests.gateways.fakes.server import FakeGateway, answer, route

ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLE000000001", "secret/access+key-of-the-connection"
REGION = "eu-west-1"

STATUS_OF = {
    "BadRequestException": "400",
    "ConflictException": "409",
    "LimitExceededException": "429",
    "NotFoundException": "404",
    "UnauthorizedException": "401",
    "TooManyRequestsException": "429",
}


def _mended(document: dict[str, Any]) -> None:
    """Mend what the conversion to OpenAPI made of AWS's own model."""
    schemas = document["components"]["schemas"]
    # The JSON of API Gateway has times as seconds since 1970, and lists under the name that XML has for them.
    schemas["Timestamp"] = {"type": "number"}
    for name in ("ApiKeys", "UsagePlans", "UsagePlanKeys"):
        schemas[name]["properties"]["item"] = schemas[name]["properties"].pop("items")
    # Errors have the statuses of the model, where the conversion counts them up from 480.
    for path in document["paths"].values():
        for operation in (one for name, one in path.items() if name != "parameters"):
            responses = operation["responses"]
            for status in [one for one in responses if one.startswith("48")]:
                response = responses.pop(status)
                kind = response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                responses[STATUS_OF[kind]] = response
            # What is signed wrongly is refused before it reaches the service, so that its model does not know that.
            responses["403"] = {"description": ""}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if body is not None:
                body["additionalProperties"] = False
    for name in ("UsagePlan", "ApiKey", "UsagePlanKey", "Stage", "Account"):
        schemas[name]["additionalProperties"] = False


def error(status: int, kind: str, message: str, **headers: str) -> Answered:
    """Return an error as AWS answers it."""
    return answer(status, {"message": message}, x_amzn_ErrorType=kind, x_amzn_RequestId="req-1", **headers)


class AwsFront(FakeGateway):
    """
    One account in one region; lists have at most ``page_size`` items.

    ``roles`` are ARNs with the external id that they ask for, ``identities`` the access keys that may come in.
    """

    contract: ClassVar[Contract] = Contract("aws/apigateway-2015-07-09.subset.json", edit=_mended)

    def __init__(self, *, page_size: int) -> None:
        super().__init__()
        self.page_size = page_size
        self.roles: dict[str, str] = {}
        #: By the access key's id: its secret, and the session token that has to come with it.
        self.identities: dict[str, tuple[str, str]] = {ACCESS_KEY: (SECRET_KEY, "")}
        self.assumed: list[dict[str, str]] = []

    def adapter(self, **changes: Any) -> AwsAdapter:
        """Return our adapter, connected to this gateway."""
        defaults: dict[str, Any] = {
            "id": "gate_1",
            "vendor": "AWS_API_GATEWAY",
            "base_url": self.base_url,
            "settings": {"region": REGION},
            "credentials": {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY},
            "mark": "aforo",
            "retry_wait_s": (0.0, 0.01),
            "inside": ("127.0.0.0/8",),
        }
        return AwsAdapter(Connection(**{**defaults, **changes}))

    def judged(self, sent: Sent) -> bool:
        """Leave out the token service, which has another protocol."""
        return sent.path != "/"

    def unknown(self, sent: Sent) -> Answered:
        """Answer as AWS does where no operation has the path."""
        return error(403, "MissingAuthenticationTokenException", "Missing Authentication Token")

    def unauthorized(self, sent: Sent) -> Answered | None:
        """Refuse what is not signed by somebody we know, over the very bytes that came."""
        headers = {name.lower(): value for name, value in sent.headers.items()}
        found = re.match(
            r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8}/([\w-]+)/(\w+)/aws4_request), "
            r"SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})\Z",
            headers.get("authorization", ""),
        )
        if found is None:
            return self.unknown(sent)
        who, scope, region, service, signed, signature = found.groups()
        secret, token = self.identities.get(who, ("", ""))
        if not secret or headers.get("x-amz-security-token", "") != token:
            return self._refused(
                sent, "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        wanted = _signature(sent, headers, secret=secret, scope=scope, signed=signed)
        right_place = (region, service) == (REGION, "sts" if sent.path == "/" else "apigateway")
        if not right_place or not hmac.compare_digest(signature, wanted):
            return self._refused(sent, "InvalidSignatureException", "The request signature we calculated is another.")
        return None

    @route("POST", "/")
    def assume_role(self, sent: Sent) -> Answered:
        """Give the credentials of a role."""
        asked = {name: values[0] for name, values in parse_qs(sent.body.decode()).items()}
        role = asked.get("RoleArn", "")
        if asked.get("Action") != "AssumeRole" or self.roles.get(role) != asked.get("ExternalId", ""):
            return self._refused(sent, "AccessDenied", "Not authorized to perform: sts:AssumeRole")
        self.assumed.append(asked)
        who, secret, token = f"ASIAEXAMPLE{len(self.assumed):09}", secrets.token_hex(20), secrets.token_hex(40)
        self.identities[who] = (secret, token)
        made = {"AccessKeyId": who, "SecretAccessKey": secret, "SessionToken": token}
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in made.items())
        body = (
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
            f"{inner}<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"
            "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>"
        )
        return Answered(200, {"Content-Type": "text/xml"}, body.encode())

    def page(self, sent: Sent, found: list[dict[str, Any]]) -> Answered:
        """Return the page of a list that is asked for."""
        query = dict(sent.query)
        size = min(int(query.get("limit", "25")), self.page_size)
        # AWS's positions are opaque; these have the characters that have to be encoded.
        start = int(base64.b64decode(query["position"]).rpartition(b"~")[2]) if "position" in query else 0
        page: dict[str, Any] = {"item": [shown(one) for one in found[start : start + size]]}
        if start + size < len(found):
            page["position"] = base64.b64encode(f"\xfb\xff>?{'~'}{start + size}".encode("latin-1")).decode()
        return answer(200, page)

    def _refused(self, sent: Sent, kind: str, message: str) -> Answered:
        if sent.path != "/":
            return error(403, kind, message)
        body = f"<ErrorResponse><Error><Code>{kind}</Code><Message>{message}</Message></Error></ErrorResponse>"
        return Answered(403, {"Content-Type": "text/xml"}, body.encode())


def _signature(sent: Sent, headers: Mapping[str, str], *, secret: str, scope: str, signed: str) -> str:
    """Return the signature of version 4, computed from what came (AWS reference, signing process)."""
    parts = urlsplit(sent.target)
    query = "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    named = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in signed.split(";"))
    canonical = "\n".join(
        (sent.method, quote(parts.path, safe="/~"), query, named, signed, hashlib.sha256(sent.body).hexdigest())
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def shown(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as AWS shows it: rates are numbers with a point."""
    shown = copied(found)
    if "throttle" in shown:
        shown["throttle"]["rateLimit"] = float(shown["throttle"]["rateLimit"])
    return shown


def copied(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy that can be changed."""
    return {name: dict(value) if isinstance(value, dict) else value for name, value in found.items()}
