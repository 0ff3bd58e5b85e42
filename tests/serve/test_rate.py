from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from ci_results.config import DEFAULT_RATE, Serving
from ci_results.serve.address import rate_of
from ci_results.serve.rate import CLIENTS, RateLimited

from .conftest import Bounds


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def fine(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


def ask(app: RateLimited, client: str) -> Message:
    """Return the start of the answer."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    asyncio.run(app({"type": "http", "client": (client, 1)}, receive, send))
    return sent[0]


def test_a_client_that_asks_too_much_is_told_when_to_come_back() -> None:
    clock = Clock()
    app = RateLimited(fine, rate=2, burst=3, clock=clock)
    assert [ask(app, "192.0.2.1")["status"] for _ in range(4)] == [200, 200, 200, 429]
    assert (b"retry-after", b"1") in ask(app, "192.0.2.1")["headers"]
    assert ask(app, "192.0.2.2")["status"] == 200
    clock.now = 0.5
    assert [ask(app, "192.0.2.1")["status"] for _ in range(2)] == [200, 429]
    clock.now = 1000
    assert [ask(app, "192.0.2.1")["status"] for _ in range(4)] == [200, 200, 200, 429]


def test_an_ipv6_network_is_one_client() -> None:
    app = RateLimited(fine, rate=1, burst=2, clock=Clock())
    assert [ask(app, f"2001:db8::{n:x}")["status"] for n in range(3)] == [200, 200, 429]
    assert ask(app, "2001:db8:0:1::1")["status"] == 200


def test_many_clients_are_remembered_within_bounds() -> None:
    app = RateLimited(fine, rate=1, burst=1, clock=Clock())
    for number in range(CLIENTS + 100):
        app._take(f"client {number}")
    assert len(app._buckets) == CLIENTS


@pytest.mark.parametrize(
    ("host", "configured", "rate"),
    [
        ("127.0.0.1", None, 0),
        ("127.0.0.1", 5, 5),
        ("192.0.2.1", None, DEFAULT_RATE),
        ("192.0.2.1", 0, 0),
    ],
)
def test_only_what_others_reach_is_limited_unless_configured(
    host: str, configured: float | None, rate: float
) -> None:
    assert rate_of(Serving(host=host, rate_per_s=configured)) == rate


def test_the_address_that_a_proxy_forwards_is_the_client(bounds: Bounds) -> None:
    with bounds(application={"rate_per_s": 0.01}, rate_burst=1) as client:
        asked = ["192.0.2.1", "192.0.2.1", "192.0.2.2"]
        statuses = [client.get("/ok", headers={"X-Forwarded-For": one}).status_code for one in asked]
    assert statuses == [200, 429, 200]


def test_an_address_that_a_stranger_forwards_is_not_believed(bounds: Bounds) -> None:
    with bounds(application={"rate_per_s": 0.01}, rate_burst=1, proxies=()) as client:
        asked = ["192.0.2.1", "192.0.2.2"]
        statuses = [client.get("/ok", headers={"X-Forwarded-For": one}).status_code for one in asked]
    assert statuses == [200, 429]
