"""The proxy in front that says who asks, and all who would like to pose as it."""

from __future__ import annotations

from typing import Any

import pytest
from fake_server import serving

from ci_results.config_auth import Auth, ProxyTable
from ci_results.errors import UnauthorisedError
from ci_results.serve.auth.proxy import TrustedProxy, peer_of

from .users import RESULT

PROXY = ProxyTable(header="X-Remote-User", addresses=("10.0.0.5", "10.1.0.0/24", "2001:db8::/32"))


def scope(*headers: tuple[str, str], client: str | None = "10.0.0.5", **more: Any) -> dict[str, Any]:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http", "headers": raw, "client": None if client is None else (client, 1), **more}


def named(settings: ProxyTable, asked: dict[str, Any]) -> str | None:
    user = TrustedProxy(settings, groups_known=True).user(asked)
    return None if user is None else user.name


@pytest.mark.parametrize("address", ["10.0.0.5", "10.1.0.77", "::ffff:10.0.0.5", "2001:db8::9"])
def test_a_proxy_of_ours_says_who_asks(address: str) -> None:
    assert named(PROXY, scope(("X-Remote-User", "jdoe"), client=address)) == "jdoe"


@pytest.mark.parametrize("address", ["10.0.0.6", "10.2.0.1", "127.0.0.1", "::1", "", "unix", None])
def test_nobody_else_may_say_so(address: str | None) -> None:
    assert named(PROXY, scope(("X-Remote-User", "root"), client=address)) is None


def test_the_address_is_that_of_the_connection_and_not_what_headers_say() -> None:
    spoofed = scope(("X-Remote-User", "root"), ("X-Forwarded-For", "10.0.0.5"))  # the server believed it
    assert peer_of(spoofed) is None
    assert named(PROXY, spoofed) is None
    assert named(PROXY, {**spoofed, "peer": ("192.0.2.1", 1)}) is None
    assert named(PROXY, {**spoofed, "client": ("192.0.2.9", 1), "peer": ("10.0.0.5", 1)}) == "root"


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Remote-User", "jdoe"), ("X-Remote-User", "root")],
        [("X-Remote-User", "jdoe"), ("x-remote-user", "jdoe")],
        [("X-Remote-User", "jd\x01oe")],
        [("X-Remote-User", "x" * 256)],
        [("X-Remote-User", "a\u00a0b")],
    ],
)
def test_a_proxy_that_says_odd_things_is_refused(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(UnauthorisedError):
        named(PROXY, scope(*headers))


@pytest.mark.parametrize("header", ["X_Remote_User", "X-Remote-User-2", "Remote-User"])
def test_a_header_of_another_spelling_says_nothing(header: str) -> None:
    assert named(PROXY, scope((header, "root"))) is None


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_name_is_nobody(value: str) -> None:
    assert named(PROXY, scope(("X-Remote-User", value))) is None


def test_a_realm_is_taken_off_and_others_are_refused() -> None:
    ours = ProxyTable(header="REMOTE_USER", addresses=("10.0.0.5",), realm="EXAMPLE.COM")
    assert named(ours, scope(("REMOTE_USER", "jdoe@EXAMPLE.COM"))) == "jdoe"
    for foreign in ("jdoe@EVIL.COM", "jdoe", "jdoe@example.com", "@EXAMPLE.COM", "jdoe@EXAMPLE.COM@EVIL"):
        with pytest.raises(UnauthorisedError):
            named(ours, scope(("REMOTE_USER", foreign)))
    assert named(PROXY, scope(("X-Remote-User", "jdoe@EVIL.COM"))) == "jdoe@EVIL.COM"


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 201), ("10.0.0.5", 401)])
def test_a_user_whom_the_proxy_names_submits(address: str, status: int) -> None:
    auth = Auth(proxy=ProxyTable(header="X-Remote-User", addresses=(address,)))
    with serving(auth, [{"testcases": ["*"], "users": ["jdoe"]}], here_only=False) as client:
        answer = client.post("/api/v2.0/results", json=RESULT, headers={"X-Remote-User": "jdoe"})
        assert answer.status_code == status
        if status == 201:
            assert client.store.result(answer.json()["id"]).source == "api:jdoe"


def test_a_client_cannot_pose_as_the_proxy_by_its_forwarded_address() -> None:
    auth = Auth(proxy=ProxyTable(header="X-Remote-User", addresses=("10.0.0.5",)))
    with serving(auth, here_only=False) as client:
        spoofed = {"X-Remote-User": "root", "X-Forwarded-For": "10.0.0.5"}
        assert client.post("/api/v2.0/results", json=RESULT, headers=spoofed).status_code == 401


def test_a_proxy_of_ours_may_say_for_whom_it_forwards() -> None:
    auth = Auth(proxy=ProxyTable(header="X-Remote-User", addresses=("127.0.0.1",)))
    with serving(auth, here_only=False) as client:
        forwarded = {"X-Remote-User": "jdoe", "X-Forwarded-For": "192.0.2.7"}
        assert client.post("/api/v2.0/results", json=RESULT, headers=forwarded).status_code == 201
