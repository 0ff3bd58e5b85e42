from __future__ import annotations

import asyncio
import time

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .conftest import Bounds
from .sockets import HOST, Wire, get, post

LARGE = 30_000_000


async def slow(request: Request) -> Response:
    await asyncio.sleep(0.6)
    return Response(b"slow", media_type="text/plain")


async def large(request: Request) -> Response:
    return Response(bytes(LARGE), media_type="application/octet-stream")


SLOW = [Route("/slow", slow)]


@pytest.mark.parametrize("sent", [b"", b"GET /ok HT", b"GET /ok HTTP/1.1\r\nHost: loc"])
def test_a_head_that_never_ends_is_cut_off(bounds: Bounds, sent: bytes) -> None:
    with bounds(receive_timeout_s=0.3) as client, Wire(client.port) as wire:
        wire.sendall(sent)
        began = time.monotonic()
        if sent:
            assert wire.answer().status == 408
        assert wire.ended()
        assert time.monotonic() - began < 5


def test_a_head_that_comes_a_letter_at_a_time_has_no_more_time_than_another(bounds: Bounds) -> None:
    with bounds(receive_timeout_s=0.5) as client, Wire(client.port) as wire:
        began = time.monotonic()
        try:
            for letter in get(headers=b"X-A: %s\r\n" % (b"a" * 400)):
                wire.sendall(bytes([letter]))
                time.sleep(0.05)
        except OSError:
            pass
        assert 0.4 < time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /ok HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 2_000_000, 431),
        (b"GET /ok HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: a\r\n" % n for n in range(10_000)), 431),
        (b"GET /ok HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: a\r\n" % n for n in range(100_000)), 431),
        (b"GET /" + b"a" * 2_000_000, 414),
    ],
    ids=["one endless header", "10,000 headers", "100,000 headers", "an endless address"],
)
def test_a_head_without_end_is_refused_before_it_fills_memory(
    bounds: Bounds, head: bytes, status: int
) -> None:
    with bounds(max_head_bytes=64_000, max_url_bytes=8_000) as client, Wire(client.port) as wire:
        answered = None
        try:
            wire.sendall(head)
            answered = wire.answer()
        except OSError:
            pass  # the server closed while we sent: what counts is that it did
        assert answered is None or answered.status == status
        assert wire.ended()
        assert client.get("/ok").text == "ok"


def test_an_idle_connection_is_closed(bounds: Bounds) -> None:
    with bounds(keep_alive_s=1) as client, Wire(client.port) as wire:
        wire.sendall(get())
        assert wire.answer().status == 200
        assert not wire.ended(within_s=0.3)
        assert wire.ended(within_s=5)


def test_line_ends_between_requests_do_not_keep_a_connection_open(bounds: Bounds) -> None:
    with bounds(keep_alive_s=1) as client, Wire(client.port) as wire:
        wire.sendall(get())
        wire.answer()
        wire.sendall(b"\r\n")
        assert wire.ended(within_s=5)


def test_an_endless_body_that_nobody_reads_is_cut_off(
    bounds: Bounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ci_results.serve.connection.LINGER_S", 0.5)
    with bounds() as client, Wire(client.port) as wire:
        wire.sendall(b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        assert wire.answer().status == 415
        assert cut_off(wire, b"3e8\r\n" + bytes(1000) + b"\r\n", within_s=10)


def cut_off(wire: Wire, part: bytes, within_s: float) -> bool:
    """Send `part` again and again; say whether the server ends that."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            wire.sendall(part)
        except OSError:
            return True
        time.sleep(0.001)
    return False


def test_a_body_that_ends_after_its_answer_leaves_the_connection_useful(bounds: Bounds) -> None:
    with bounds() as client, Wire(client.port) as wire:
        wire.sendall(b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 6\r\n\r\nabc")
        assert wire.answer().status == 415
        wire.sendall(b"def" + get())
        assert wire.answer().status == 200
        wire.sendall(get())
        assert wire.answer().status == 200


def test_requests_in_one_packet_are_answered_in_order(bounds: Bounds) -> None:
    with bounds(SLOW) as client, Wire(client.port) as wire:
        wire.sendall(get("/slow") + get("/ok") + post(b"{}"))
        assert [wire.answer().body for _ in range(3)] == [b"slow", b"ok", b"{}"]


def test_half_a_head_behind_a_slow_request_does_not_cost_its_answer(bounds: Bounds) -> None:
    with bounds(SLOW, receive_timeout_s=0.2) as client, Wire(client.port) as wire:
        wire.sendall(get("/slow") + b"GET /ok HT")
        assert wire.answer().body == b"slow"
        assert wire.ended(within_s=5)


def test_a_client_that_reads_nothing_of_its_answer_is_dropped(bounds: Bounds) -> None:
    with bounds([Route("/large", large)], receive_timeout_s=0.5) as client, Wire(client.port) as wire:
        wire.sendall(get("/large"))
        time.sleep(1.5)
        received = 0
        while data := wire.recv(1_000_000):
            received += len(data)
        assert received < LARGE


def test_a_connection_too_many_is_told_to_come_back(bounds: Bounds) -> None:
    with bounds(max_connections=3) as client:
        wires = [Wire(client.port) for _ in range(4)]
        try:
            time.sleep(0.1)
            wires[3].sendall(get())
            answer = wires[3].answer()
            assert answer.status == 503
            assert answer.headers["retry-after"] == "1"
            assert wires[3].ended()
            wires[0].sendall(get())
            assert wires[0].answer().status == 200
        finally:
            for wire in wires:
                wire.close()


def test_what_is_no_http_is_refused(bounds: Bounds) -> None:
    with bounds() as client, Wire(client.port) as wire:
        wire.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200))
        assert wire.answer().status == 400
        assert wire.ended()


def test_a_websocket_is_not_spoken(bounds: Bounds) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: YQ==\r\n"
    with bounds() as client, Wire(client.port) as wire:
        wire.sendall(get("/nope", upgrade))
        assert wire.answer().status == 404
