from __future__ import annotations

import json
import time

import pytest

from ci_results.serve.bounds import BODIES

from .conftest import Bounds
from .sockets import HOST, Wire, get

JSON = b"Content-Type: application/json\r\n"


def test_a_body_that_says_it_is_too_long_is_refused_before_it_comes(bounds: Bounds) -> None:
    with bounds(max_body_bytes=1000) as client, Wire(client.port) as wire:
        wire.sendall(b"POST /echo HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: 1001\r\n\r\n")
        answer = wire.answer()
        assert answer.status == 413
        assert json.loads(answer.body) == {"message": "The body is longer than 1000 bytes"}


def test_a_client_that_sends_a_long_body_to_its_end_reads_why_it_is_refused(bounds: Bounds) -> None:
    with bounds(max_body_bytes=1000) as client:
        for _ in range(3):
            answer = client.post("/echo", data=bytes(3_000_000), headers={"Content-Type": "application/json"})
            assert answer.status_code == 413


def test_a_body_without_a_length_is_counted(bounds: Bounds) -> None:
    with bounds(max_body_bytes=1000) as client, Wire(client.port) as wire:
        wire.sendall(b"POST /echo HTTP/1.1\r\n" + HOST + JSON + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            wire.sendall(b"190\r\n" + bytes(400) + b"\r\n")
        assert wire.answer().status == 413


def test_curl_that_asks_first_hears_no(bounds: Bounds) -> None:
    with bounds(max_body_bytes=1000) as client, Wire(client.port) as wire:
        lines = JSON + b"Content-Length: 5000000\r\nExpect: 100-continue\r\n\r\n"
        wire.sendall(b"POST /echo HTTP/1.1\r\n" + HOST + lines)
        assert wire.answer().status == 413


def test_a_body_of_the_greatest_size_comes_through_whole(bounds: Bounds) -> None:
    body = bytes(range(256)) * 4096
    with bounds(max_body_bytes=len(body)) as client:
        assert client.post("/echo", data=body, headers={"Content-Type": "application/json"}).content == body
        parts = (body[n : n + 1000] for n in range(0, len(body), 1000))
        assert client.post("/echo", data=parts, headers={"Content-Type": "application/json"}).content == body


def test_a_body_that_stops_coming_is_refused(bounds: Bounds) -> None:
    with bounds(receive_timeout_s=0.3) as client, Wire(client.port) as wire:
        wire.sendall(b"POST /echo HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: 10\r\n\r\n123")
        assert wire.answer().status == 408
        assert wire.ended()


def test_a_body_that_comes_slowly_but_surely_is_taken(bounds: Bounds) -> None:
    with bounds(receive_timeout_s=0.6) as client, Wire(client.port) as wire:
        wire.sendall(b"POST /echo HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: 400000\r\n\r\n")
        for _ in range(10):
            wire.sendall(bytes(40_000))
            time.sleep(0.1)
        assert wire.answer().status == 200


def test_a_client_that_leaves_in_its_body_costs_nothing(bounds: Bounds) -> None:
    with bounds() as client:
        for _ in range(20):
            with Wire(client.port) as wire:
                wire.sendall(b"POST /echo HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: 10\r\n\r\n123")
        assert client.post("/echo", json=[1]).json() == [1]
        assert 'status="499"' in client.get("/metrics").text


def test_bodies_that_together_fill_too_much_memory_are_told_to_wait(bounds: Bounds) -> None:
    size = 100_000
    with bounds(max_body_bytes=size, receive_timeout_s=5) as client:
        wires = [Wire(client.port) for _ in range(BODIES + 1)]
        try:
            for wire in wires:
                head = b"POST /echo HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: %d\r\n\r\n" % size
                wire.sendall(head + bytes(size - 1))
            time.sleep(0.2)
            wires[-1].sendall(b"1")
            late = client.post("/echo", data=bytes(size), headers={"Content-Type": "application/json"})
            assert late.status_code == 503
            for wire in wires[:-1]:
                wire.sendall(b"1")
        finally:
            for wire in wires:
                wire.close()
        time.sleep(0.1)
        assert client.post("/echo", json=[1]).json() == [1]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get(headers=b"X-A: %s\r\n" % (b"a" * 4001)), 431),
        (get(headers=b"".join(b"X-%d: a\r\n" % n for n in range(10_000))), 431),
        (get("/ok?" + "a" * 2001), 414),
        (get("/" + "a" * 2001), 414),
        (get("/ok?" + "a" * 1900, b"X-A: %s\r\n" % (b"a" * 3900)), 200),
    ],
    ids=["long header", "10,000 headers", "long query", "long path", "just not"],
)
def test_a_head_is_bounded(bounds: Bounds, request_: bytes, status: int) -> None:
    with bounds(max_head_bytes=4000, max_url_bytes=2000) as client, Wire(client.port) as wire:
        wire.sendall(request_)
        assert wire.answer().status == status


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "application/xml",
    ],
)
def test_a_web_page_elsewhere_cannot_post_here(bounds: Bounds, kind: str | None) -> None:
    with bounds() as client:
        answer = client.post("/echo", data=b'{"a": 1}', headers={"Content-Type": kind} if kind else {})
        assert answer.status_code == 415
        assert "application/json" in answer.json()["message"]


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/x-ndjson",
        "application/vnd.ci+json",
    ],
)
def test_json_of_any_kind_is_taken(bounds: Bounds, kind: str) -> None:
    with bounds() as client:
        assert client.post("/echo", data=b"{}", headers={"Content-Type": kind}).content == b"{}"
