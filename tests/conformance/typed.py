"""What a client of ResultsDB's typed API posts, and whom the servers of these tests know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fake_provider import Provider
from fake_server import Client, bearer

from ci_results.config_auth import LdapTable, OidcTable, SearchTable

OURS = "cir_a-token-of-our-own"
UNAUTHORISED = (
    "401 Unauthorized: The server could not verify that you are authorized to access the URL requested. "
    "You either supplied the wrong credentials (e.g. a bad password), or your browser doesn't understand "
    "how to supply the credentials required."
)
PERMISSIONS: list[dict[str, Any]] = [
    {"testcases": ["baseos.*"], "users": ["jdoe"], "groups": []},
    {"testcases": ["desktop.*", "desk[ot]op"], "groups": ["desktop-qe"]},
    {"testcases": ["desktop.gtk.*"], "users": [], "groups": ["gtk"]},
    {"users": ["jdoe"], "groups": ["desktop-qe"], "name": "no testcases"},
]
COMMON = {
    "outcome": "PASSED",
    "testcase": "baseos.tier1",
    "ci_name": "BaseOS CI",
    "ci_team": "BaseOS QE",
    "ci_docs": "https://docs.example.com",
    "ci_email": "ci@example.com",
}
OWN: dict[str, dict[str, Any]] = {
    "brew-builds": {"item": "bash-5.2-1.el10", "brew_task_id": 12},
    "productmd-composes": {"id": "RHEL-10.0-20260101.0"},
    "redhat-container-images": {
        "item": "ubi10@sha256:12",
        "id": "sha256:12",
        "issuer": "jdoe",
        "component": "ubi10",
        "full_names": ["registry.example.com/ubi10:1", "registry.example.com/ubi10:latest"],
    },
    "redhat-modules": {"item": "nodejs:22:20260101:9edba152"},
}
MODELS = {
    "brew-builds": "BrewResultParams",
    "productmd-composes": "ProductmdComposeResultParams",
    "redhat-container-images": "RedHatContainerImageResultParams",
    "redhat-modules": "RedHatModuleResultParams",
}
URLS = ("testcase_ref_url", "ref_url", "issue_url", "ci_docs", "ci_url", "rebuild", "log")
TEXTS = (
    "note",
    "error_reason",
    "system_provider",
    "system_architecture",
    "system_variant",
    "scenario",
    "ci_irc",
)


def body(kind: str = "redhat-modules", **changes: Any) -> dict[str, Any]:
    return {**COMMON, **OWN[kind], **changes}


def oidc(provider: Provider, folder: Path, **changes: Any) -> OidcTable:
    return OidcTable(client_secrets=provider.secrets_file(folder), cache_s=0.0, **changes)


def ldap(host: str) -> LdapTable:
    searches = (SearchTable(base="ou=one"), SearchTable(base="ou=two", search_string="(member={user})"))
    return LdapTable(host=host, searches=searches, timeout_s=2.0, cache_s=0.0)


def post(typed: Client, kind: str, said: Any, token: str | None = None, **named: Any) -> Any:
    headers = bearer(token or "token-of-jdoe")
    return typed.post(f"/api/v3/results/{kind}", json=said, headers=headers, **named)


def problems(typed: Client, said: Any, kind: str = "redhat-modules") -> list[tuple[Any, str, str]]:
    answer = post(typed, kind, said)
    assert answer.status_code == 400
    assert set(answer.json()) == {"validation_error"}
    return [(each["loc"], each["type"], each["msg"]) for each in answer.json()["validation_error"]]
