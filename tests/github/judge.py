"""Holds each request and each answer to GitHub's own description of its API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from tests.github import spec


class Violation(Exception):
    """Something that GitHub's description does not allow."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as it came."""

    method: str
    path: str
    query: str
    body: bytes
    content_type: str

    @property
    def parameters(self) -> dict[str, str]:
        return {key: values[-1] for key, values in parse_qs(self.query, keep_blank_values=True).items()}

    @property
    def is_upload(self) -> bool:
        return self.method == "POST" and self.path.endswith("/assets")

    def mock(self) -> MockRequest:
        """Return it as the validator wants it, addressed to GitHub itself."""
        # An upload says of what type the file is; the description knows one name for all of them.
        kind = "application/octet-stream" if self.is_upload else self.content_type or "application/json"
        host = "https://uploads.github.com" if self.is_upload else "https://api.github.com"
        return MockRequest(
            host, self.method.lower(), self.path, args=self.parameters, data=self.body or None, content_type=kind
        )


@cache
def _api() -> OpenAPI:
    return OpenAPI.from_dict(spec.load())


def request(asked: Asked, route: str) -> None:
    """Raise ``Violation`` when the request breaks the description of ``route``, or says what is not in it."""
    operation = _resolved(spec.load()["paths"][route][asked.method.lower()])
    names = {_resolved(item)["name"] for item in operation.get("parameters", []) if _resolved(item)["in"] == "query"}
    if unknown := asked.parameters.keys() - names:
        raise Violation(f"{asked.method} {route}: unknown parameters {sorted(unknown)}")
    if asked.body and "requestBody" not in operation:
        raise Violation(f"{asked.method} {route}: takes no body")
    try:
        _api().validate_request(asked.mock())
    except OpenAPIError as error:
        raise Violation(f"{asked.method} {route}: {_why(error)}") from None
    if asked.body and not asked.is_upload and (unknown := _unknown_keys(operation, json.loads(asked.body))):
        raise Violation(f"{asked.method} {route}: unknown keys {sorted(unknown)}")


def answer(asked: Asked, route: str, status: int, body: bytes) -> None:
    """Raise ``Violation`` when our double answers what GitHub does not."""
    if str(status) not in spec.load()["paths"][route][asked.method.lower()]["responses"]:
        if status >= 400:
            return  # faults of the network and of limits stand beside the description
        raise Violation(f"{asked.method} {route}: GitHub does not answer {status}")
    try:
        _api().validate_response(asked.mock(), MockResponse(body, status_code=status, content_type="application/json"))
    except OpenAPIError as error:
        raise Violation(f"answer {status} to {asked.method} {route}: {_why(error)}") from None


def _unknown_keys(operation: Mapping[str, Any], body: Any) -> set[str]:
    schema = _resolved(operation["requestBody"])["content"]["application/json"]["schema"]
    allowed = _keys(schema)
    return set(body) - allowed if isinstance(body, dict) and allowed else set()


def _keys(schema: Mapping[str, Any]) -> set[str]:
    schema = _resolved(schema)
    nested = [_keys(item) for kind in ("oneOf", "anyOf", "allOf") for item in schema.get(kind, [])]
    return set(schema.get("properties", {})).union(*nested)


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    while isinstance(target := node.get("$ref"), str):
        found: Any = spec.load()
        for key in target.removeprefix("#/").split("/"):
            found = found[key]
        node = found
    return node


def _why(error: BaseException) -> str:
    """Return the innermost reasons: the outer ones say only that something is invalid."""
    cause: BaseException | None = error.__cause__
    details = [item.message for item in getattr(cause, "schema_errors", ())]
    return "; ".join(details) or f"{error}: {cause}"
