"""The polite session against a real server on loopback that answers as each test says."""

from __future__ import annotations

import gzip
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from ci_results import (
    CollectError,
    SourceGarbledError,
    SourceRefusedError,
    SourceSession,
    SourceUnavailableError,
)
from ci_results.errors import ConfigError
from ci_results.plugin.http import Ask

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
SECRET = "s3cret-token"


@dataclass
class Reply:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    length: int | None = None
    pause_s: float = 0.0


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Server:
    """Answers by `answer`, counts how many requests it has at once."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        self.answer = answer
        self.seen: list[Asked] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with outer.lock:
                    outer.at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer.at_once)
                try:
                    self.reply()
                finally:
                    with outer.lock:
                        outer.at_once -= 1

            do_POST = do_GET  # noqa: N815

            def reply(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                outer.seen.append(asked)
                reply = outer.answer(asked)
                time.sleep(reply.pause_s)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header(
                    "Content-Length", str(len(reply.body) if reply.length is None else reply.length)
                )
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(reply.body)
                if reply.length is not None:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def served() -> Iterator[Callable[[Callable[[Asked], Reply]], Server]]:
    servers: list[Server] = []

    def start(answer: Callable[[Asked], Reply]) -> Server:
        server = Server(answer)
        threading.Thread(target=server.http.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


@contextmanager
def session(url: str | None = None, **given: Any) -> Iterator[SourceSession]:
    with SourceSession(url, **{"sleep": lambda _: None, **given}) as opened:
        yield opened


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def test_it_reads_json_with_params_leaving_out_none(served: Any) -> None:
    server = served(in_turn(Reply(body=b'[{"id": 7}]')))
    with session() as http:
        assert http.get_list(f"{server.url}/runs", after=None, limit=3) == [{"id": 7}]
    assert server.seen[0].path == "/runs?limit=3"
    assert server.seen[0].headers["accept-encoding"] == "gzip"
    assert http.requests_sent == 1
    assert http.bytes_received == len(b'[{"id": 7}]')


def test_it_reads_nan_as_jenkins_writes_it(served: Any) -> None:
    server = served(in_turn(Reply(body=b'{"duration":NaN}')))
    with session() as http:
        assert http.get_json(server.url)["duration"] != http.get_json(server.url)["duration"]


def test_it_counts_the_bytes_on_the_wire_not_the_decompressed_ones(served: Any) -> None:
    packed = gzip.compress(b'{"a": "' + b"x" * 100_000 + b'"}')
    server = served(in_turn(Reply(body=packed, headers=JSON | {"Content-Encoding": "gzip"})))
    with session() as http:
        assert len(http.get_json(server.url)["a"]) == 100_000
    assert http.bytes_received == len(packed)


BAD_ANSWERS = {
    "401": (Reply(401, b"", HTML), SourceRefusedError, "wants a user and a token"),
    "403 names the permission": (
        Reply(
            403,
            b"",
            HTML | {"X-You-Are-Authenticated-As": "bot", "X-Required-Permission": "hudson.model.Item.Read"},
        ),
        SourceRefusedError,
        "bot lacks the permission Job/Read",
    ),
    "403 of an anonymous": (
        Reply(403, b"Authentication required", HTML),
        SourceRefusedError,
        "set user and token_env",
    ),
    "404": (Reply(404, b"", HTML), SourceRefusedError, "not there, or hidden from anonymous"),
    "418": (Reply(418, b"<title>tea</title>", HTML), SourceRefusedError, "HTTP 418: 'tea'"),
    "500": (
        Reply(500, b"<title>Oops</title>", HTML),
        SourceGarbledError,
        "the server broke while answering: 'Oops'",
    ),
    "503": (Reply(503, b"<title>Starting</title>", HTML), SourceUnavailableError, "HTTP 503"),
    "429": (Reply(429, b"", JSON | {"Retry-After": "1"}), SourceUnavailableError, "wants 1 s of peace"),
    "a login page": (
        Reply(200, b"<title>Sign in [Jenkins]</title><input type=password>", HTML),
        SourceRefusedError,
        "a login page instead of JSON: 'Sign in [Jenkins]'",
    ),
    "HTML that calls itself JSON": (
        Reply(200, b" <!DOCTYPE html><p>hi"),
        SourceRefusedError,
        "a page of HTML",
    ),
    "cut JSON": (Reply(200, b'{"jobs": [1, 2'), SourceGarbledError, "not JSON"),
    "no UTF-8": (Reply(200, b'{"name": "\xff\xfe\xfd"}'), SourceGarbledError, "not JSON"),
    "deep nesting": (Reply(200, b"[" * 200_000), SourceGarbledError, "not JSON"),
    "nothing": (Reply(200, b""), SourceGarbledError, "not JSON"),
    "broken gzip": (
        Reply(200, b"no gzip", JSON | {"Content-Encoding": "gzip"}),
        SourceGarbledError,
        "compression",
    ),
    "cut on the wire": (Reply(200, b'{"a":', length=400), SourceUnavailableError, "IncompleteRead"),
}


@pytest.mark.parametrize(("reply", "error", "said"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
@pytest.mark.demand("S-015")
def test_a_bad_answer_becomes_the_error_that_says_what_to_do(
    served: Any, reply: Reply, error: type[CollectError], said: str
) -> None:
    server = served(in_turn(reply))
    with session() as http, pytest.raises(error) as caught:
        http.get_json(f"{server.url}/api/json", tree="x")
    assert type(caught.value) is error
    assert said in str(caught.value)
    assert f"{server.url}/api/json" in str(caught.value)


def test_the_error_carries_the_status(served: Any) -> None:
    server = served(in_turn(Reply(404)))
    with session() as http, pytest.raises(SourceRefusedError) as caught:
        http.get_json(server.url)
    assert caught.value.status == 404


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_restarting_server_is_asked_again(served: Any, status: int) -> None:
    server = served(in_turn(Reply(status), Reply(status), Reply(body=b"[1]")))
    with session() as http:
        assert http.get_json(server.url) == [1]
    assert http.requests_sent == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_what_a_retry_cannot_change_is_asked_once(served: Any, status: int) -> None:
    server = served(in_turn(Reply(status)))
    with session() as http, pytest.raises(CollectError):
        http.get_json(server.url)
    assert len(server.seen) == 1


def test_retry_after_is_obeyed_and_a_long_one_is_not_waited_for(served: Any) -> None:
    pauses: list[float] = []
    server = served(in_turn(Reply(503, headers=JSON | {"Retry-After": "7"}), Reply()))
    with session(sleep=pauses.append) as http:
        http.get_json(server.url)
        assert pauses == [7.0]
    server = served(in_turn(Reply(503, headers=JSON | {"Retry-After": "3600"})))
    with session(sleep=pauses.append) as http, pytest.raises(SourceUnavailableError):
        http.get_json(server.url)
    assert len(server.seen) == 1


@pytest.mark.demand("S-015")
def test_a_refused_connection_is_tried_a_few_times_with_growing_pauses() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        pauses: list[float] = []
        with session(sleep=pauses.append) as http, pytest.raises(SourceUnavailableError, match="refused"):
            http.get_json(url)
    assert http.requests_sent == 4
    assert pauses == sorted(pauses)


def test_a_hanging_server_is_given_up_after_two_time_outs(served: Any) -> None:
    server = served(in_turn(Reply(pause_s=2)))
    begin = time.monotonic()
    with (
        session(read_s=0.1) as http,
        pytest.raises(SourceUnavailableError, match="no answer within the time-out"),
    ):
        http.get_json(server.url)
    assert time.monotonic() - begin < 1.5
    assert http.requests_sent == 2


def test_an_answer_beyond_the_cap_is_refused_while_it_is_read(served: Any) -> None:
    server = served(in_turn(Reply(body=b"[" + b"1," * 100_000 + b"1]")))
    with session(max_bytes=70_000) as http, pytest.raises(SourceGarbledError, match="larger than 70000"):
        http.get_json(server.url)


def test_a_gzip_bomb_is_refused_by_its_unpacked_size(served: Any) -> None:
    bomb = gzip.compress(b" " * 20_000_000)
    assert len(bomb) < 70_000
    server = served(in_turn(Reply(body=bomb, headers=JSON | {"Content-Encoding": "gzip"})))
    with session(max_bytes=1_000_000) as http, pytest.raises(SourceGarbledError, match="larger than"):
        http.get_json(server.url)


def test_the_token_goes_as_basic_with_a_user_and_as_bearer_without(served: Any) -> None:
    server = served(in_turn(Reply()))
    with session(token="t") as http:
        http.get_json(server.url)
        http.sign_in_as("bot")
        http.get_json(server.url)
    sent = [asked.headers["authorization"] for asked in server.seen]
    assert sent == ["Bearer t", "Basic Ym90OnQ="]


def test_the_token_goes_to_no_other_origin(served: Any) -> None:
    home, other = served(in_turn(Reply())), served(in_turn(Reply()))
    with session(home.url, token=SECRET, user="bot") as http:
        http.get_json(home.url)
        http.get_json(other.url)
    assert "authorization" in home.seen[0].headers
    assert "authorization" not in other.seen[0].headers


def test_a_redirect_to_another_host_is_refused_with_credentials(served: Any) -> None:
    other = served(in_turn(Reply()))
    server = served(in_turn(Reply(302, b"", {"Location": f"{other.url}/elsewhere"})))
    with (
        session(token=SECRET) as http,
        pytest.raises(SourceRefusedError, match="where the token is not sent"),
    ):
        http.get_json(server.url)
    assert other.seen == []


def test_a_redirect_to_another_host_is_followed_without_credentials(served: Any) -> None:
    other = served(in_turn(Reply(body=b"[1]")))
    server = served(in_turn(Reply(302, b"", {"Location": f"{other.url}/elsewhere"})))
    with session() as http:
        assert http.get_json(server.url) == [1]


def test_a_redirect_on_the_same_host_keeps_the_credentials(served: Any) -> None:
    server = served(
        lambda asked: Reply(body=b"[1]") if asked.path == "/b" else Reply(301, b"", {"Location": "/b"})
    )
    with session(token="t") as http:
        assert http.get_json(f"{server.url}/a") == [1]
    assert server.seen[1].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize("goal", ["file:///etc/passwd", "ftp://example.com/x", "gopher:x"])
def test_a_redirect_to_another_scheme_is_never_followed(served: Any, goal: str) -> None:
    server = served(in_turn(Reply(302, b"", {"Location": goal})))
    with session() as http, pytest.raises(SourceGarbledError, match="not an http"):
        http.get_json(server.url)


def test_a_circle_of_redirects_ends(served: Any) -> None:
    server = served(in_turn(Reply(302, b"", {"Location": "/again"})))
    with session() as http, pytest.raises(SourceGarbledError, match="redirects"):
        http.get_json(server.url)
    assert len(server.seen) == 6


def test_a_redirected_post_is_not_turned_into_a_get(served: Any) -> None:
    server = served(in_turn(Reply(302, b"", {"Location": "/b"})))
    with session() as http, pytest.raises(SourceGarbledError, match="redirects a POST"):
        http.post_json(server.url, tree="jobs[name]")


def test_a_long_question_is_posted_as_a_form(served: Any) -> None:
    server = served(in_turn(Reply(body=b"[1]")))
    with session() as http:
        assert http.post_json(server.url, tree="jobs[name]") == [1]
    assert (server.seen[0].method, server.seen[0].body) == ("POST", b"tree=jobs%5Bname%5D")


@pytest.mark.demand("S-026")
def test_no_secret_shows_in_repr_or_messages(served: Any) -> None:
    server = served(in_turn(Reply(403, b"", HTML)))
    with session(token=SECRET, user="bot") as http:
        with pytest.raises(SourceRefusedError) as caught:
            http.get_json(server.url)
        assert SECRET not in repr(http) + repr(http.auth) + str(caught.value) + repr(vars(caught.value))


def test_a_token_with_a_line_break_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="unprintable"):
        SourceSession(token="abc\ndef")


def test_what_did_not_change_is_not_sent_again(served: Any) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == '"v1"':
            return Reply(304, b"")
        return Reply(body=b"[1]", headers=JSON | {"ETag": '"v1"'})

    server = served(answer)
    with session() as http:
        assert http.get_json(server.url) == http.get_json(server.url) == [1]
    assert "if-none-match" in server.seen[1].headers
    assert http.bytes_received == 3


def test_many_requests_come_back_in_order_and_within_the_bound(served: Any) -> None:
    server = served(
        lambda asked: Reply(body=asked.path[1:].encode(), pause_s=0.02 if asked.path == "/0" else 0.005)
    )
    with session(parallel=3) as http:
        answers = [answer for _, answer in http.get_each(Ask(f"{server.url}/{n}") for n in range(30))]
    assert answers == list(range(30))
    assert 2 <= server.most_at_once <= 3


def test_the_bound_holds_over_all_threads_of_the_session(served: Any) -> None:
    server = served(in_turn(Reply(pause_s=0.02)))
    with session(parallel=2) as http:
        threads = [threading.Thread(target=http.get_json, args=(server.url,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.seen) == 8
    assert server.most_at_once <= 2


def test_asking_ahead_is_lazy_and_hands_errors_over_in_their_place(served: Any) -> None:
    server = served(lambda asked: Reply(404) if asked.path == "/1" else Reply(body=asked.path[1:].encode()))
    taken: list[int] = []

    def asks() -> Iterator[Ask]:
        for n in range(1000):
            taken.append(n)
            yield Ask(f"{server.url}/{n}" if n != 2 else None, about=n)

    with session(parallel=2) as http:
        answers = http.get_each(asks())
        first = [next(answers) for _ in range(4)]
        answers.close()  # type: ignore[attr-defined]
    assert [ask.about for ask, _ in first] == [0, 1, 2, 3]
    assert isinstance(first[1][1], SourceRefusedError)
    assert [answer for _, answer in (first[0], first[2], first[3])] == [0, None, 3]
    assert len(taken) <= 4 + 2 * 2


def test_a_file_is_streamed_within_its_cap(served: Any) -> None:
    server = served(in_turn(Reply(body=b"abc" * 100_000, headers={"Content-Type": "application/xml"})))
    with session() as http:
        with http.get_stream(server.url) as stream:
            assert stream.read(4) == b"abca"
            assert len(stream.read()) == 300_000 - 4
        with (
            pytest.raises(SourceGarbledError, match="larger than 1000"),
            http.get_stream(server.url, 1000) as stream,
        ):
            stream.read()
        assert http.bytes_received >= 300_000


def test_a_stream_that_breaks_off_says_so(served: Any) -> None:
    server = served(in_turn(Reply(body=b"<a>", length=1000)))
    with session() as http, pytest.raises(SourceUnavailableError), http.get_stream(server.url) as stream:
        stream.read()


def test_a_missing_file_is_refused_not_streamed(served: Any) -> None:
    server = served(in_turn(Reply(404, b"<title>Not Found</title>", HTML)))
    with session() as http, pytest.raises(SourceRefusedError, match="not there"), http.get_stream(server.url):
        pass


@pytest.mark.parametrize(
    "address", ["nonsense", "http://", "https://ex ample", "ftp://host/x", "http://host:port/"]
)
def test_a_bad_address_is_a_collect_error(address: str) -> None:
    with session() as http, pytest.raises(SourceGarbledError):
        http.get_json(address)


def test_a_client_library_gets_the_same_bounds(served: Any) -> None:
    server = served(in_turn(Reply(503), Reply(body=b"[1]")))
    with session() as http:
        plain: requests.Session = http
        assert plain.get(server.url).json() == [1]
    assert http.requests_sent == 2


def test_a_field_is_text_or_a_number_and_never_guessed() -> None:
    assert SourceSession.field({"id": "x"}, "id") == "x"
    assert SourceSession.field({"id": 7}, "id") == "7"
    for record in ({}, {"id": None}, {"id": True}, {"id": 1.5}, ["id"]):
        with pytest.raises(SourceGarbledError, match="no id in"):
            SourceSession.field(record, "id")


def test_reading_line_by_line_works_on_a_stream(served: Any) -> None:
    server = served(in_turn(Reply(body=b"one\ntwo\n", headers={"Content-Type": "text/plain"})))
    with session() as http, http.get_stream(server.url) as stream:
        assert list(io.TextIOWrapper(stream)) == ["one\n", "two\n"]  # type: ignore[arg-type]
