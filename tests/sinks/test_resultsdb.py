"""The sink resultsdb against a look-alike that fails as each test says."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import certifi
import pytest
from resultsdb_lookalike import CERTIFICATE, Fault, Lookalike
from urllib3.exceptions import InsecureRequestWarning

from ci_results.domain.batch import Batch
from ci_results.errors import DeliveryError, SinkRefusedError, SinkUnavailableError
from ci_results.sinks import builtin
from ci_results.sinks.resultsdb import Options, ResultsDB
from ci_results.testing import SinkContract
from ci_results.testing.store_contract import result

SINK = ResultsDB()


def batch(*outcomes: str) -> Batch:
    return Batch([result(f"k{number}", outcome=word) for number, word in enumerate(outcomes, 1)])


class TestResultsDB(SinkContract):
    sink = SINK
    plugin = builtin
    server: ClassVar[Lookalike]
    options: ClassVar[Options]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _served(cls) -> Iterator[None]:
        with Lookalike().serve() as cls.server:
            cls.options = Options(url=cls.server.url)
            yield

    def received(self) -> int:
        return len(self.server.results)


@pytest.mark.demand("S-037")
def test_a_result_arrives_whole(remote: Lookalike) -> None:
    SINK.deliver(Options(url=f"{remote.url}/"), batch("failed"))
    (arrived,) = remote.results
    assert arrived == {
        "id": 1, "groups": [], "testcase": "ns.case", "submit_time": "2026-03-01T12:00:00.000000",
        "outcome": "FAILED", "note": None, "ref_url": None,
        "data": {"job": ["job"], "item": ["bash-5.2-1.fc40"], "type": ["koji_build"]},
    }  # fmt: skip


def test_all_go_over_one_connection_in_order(remote: Lookalike) -> None:
    SINK.deliver(Options(url=remote.url), batch("passed", "failed", "info"))
    assert [one["outcome"] for one in remote.results] == ["PASSED", "FAILED", "INFO"]
    assert remote.asked == [("POST", "/api/v2.0/results")] * 3


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (Fault(400, body=b'{"message": "Colon no"}'), SinkRefusedError, "HTTP 400: Colon no"),
        (Fault(403, body=b'{"message": "403 Forbidden"}'), SinkRefusedError, "HTTP 403: 403 Forbidden"),
        (Fault(413, body=b"too large"), SinkRefusedError, "HTTP 413: 'too large'"),
        (Fault(401), SinkUnavailableError, "HTTP 401: the token is wrong"),
        (Fault(404, body=b"<html>"), SinkUnavailableError, "no ResultsDB answers there"),
        (Fault(405), SinkUnavailableError, "no ResultsDB answers there"),
        (Fault(409), SinkUnavailableError, "stored just now"),
        (Fault(200, body=b"<html>log in</html>"), SinkUnavailableError, "without a result"),
        (Fault(201, body=b"[]"), SinkUnavailableError, "without a result"),
        (Fault(503, headers={"Retry-After": "7"}), SinkUnavailableError, "wants 7 s of peace"),
        (Fault(501), SinkUnavailableError, "HTTP 501"),
        (Fault(302, headers={"Location": "/login"}), SinkUnavailableError, "redirects a POST"),
        (Fault(302, headers={"Location": "https://login.example/"}), SinkUnavailableError, "login.example"),
        (Fault(drop=True), SinkUnavailableError, "api/v2.0/results"),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)  # fmt: skip
def test_an_answer_says_whether_the_result_or_the_server_is_at_fault(
    remote: Lookalike, fault: Fault, kind: type[DeliveryError], said: str
) -> None:
    remote.fault_of = lambda method, path, body: fault if remote.results and method == "POST" else None
    with pytest.raises(kind, match=r"http://127\.0\.0\.1:\d+/api/v2\.0") as caught:
        SINK.deliver(Options(url=remote.url), batch("passed", "failed", "info"))
    assert said in str(caught.value)
    assert caught.value.delivered == len(remote.results) == 1


def test_a_result_that_breaks_a_healthy_server_twice_is_refused(remote: Lookalike) -> None:
    remote.fault_of = lambda method, path, body: Fault(500) if method == "POST" else None
    with pytest.raises(SinkRefusedError, match="HTTP 500: Internal Server Error, while it is well"):
        SINK.deliver(Options(url=remote.url), batch("passed"))
    assert [method for method, _ in remote.asked] == ["POST", "GET", "POST"]


def test_a_server_that_breaks_once_is_asked_again(remote: Lookalike) -> None:
    remote.faults.append(Fault(500))
    SINK.deliver(Options(url=remote.url), batch("passed"))
    assert len(remote.results) == 1


def test_a_server_without_its_database_is_away(remote: Lookalike) -> None:
    remote.fault_of = lambda method, path, body: Fault(500) if method == "POST" else None
    remote.well = False
    with pytest.raises(SinkUnavailableError, match="HTTP 500"):
        SINK.deliver(Options(url=remote.url), batch("passed"))


def test_a_slow_server_is_away(remote: Lookalike) -> None:
    remote.faults.append(Fault(201, pause_s=1.0))
    with pytest.raises(SinkUnavailableError, match="no answer within the time-out"):
        SINK.deliver(Options(url=remote.url, timeout_s=0.1), batch("passed"))


def test_nobody_there_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SinkUnavailableError, match="refused") as caught:
        SINK.deliver(Options(url=f"http://127.0.0.1:{port}/api/v2.0"), batch("passed"))
    assert caught.value.delivered == 0


def test_a_lost_answer_stores_nothing_twice_where_keys_are_honoured(remote: Lookalike) -> None:
    given = batch("passed", "failed")
    remote.faults += [Fault(drop=True, stored=True)]
    with pytest.raises(SinkUnavailableError) as caught:
        SINK.deliver(Options(url=remote.url), given)
    assert (caught.value.delivered, len(remote.results)) == (0, 1)
    SINK.deliver(Options(url=remote.url), given)
    assert [one["outcome"] for one in remote.results] == ["PASSED", "FAILED"]


def test_the_token_is_sent_from_where_it_is_now(
    remote: Lookalike, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    SINK.deliver(Options(url=remote.url, token_file=str(file)), batch("passed"))
    file.write_text("second\n")
    SINK.deliver(Options(url=remote.url, token_file=str(file)), batch("passed"))
    monkeypatch.setenv("RTOKEN", "third")
    SINK.deliver(Options(url=remote.url, token_env="RTOKEN"), batch("passed"))
    sent = [headers.get("Authorization") for headers in remote.headers]
    assert sent == ["Bearer first", "Bearer second", "Bearer third"]


def test_a_token_that_cannot_be_read_keeps_all_waiting(remote: Lookalike) -> None:
    with pytest.raises(SinkUnavailableError, match="NO_SUCH_TOKEN is not set"):
        SINK.deliver(Options(url=remote.url, token_env="NO_SUCH_TOKEN"), batch("passed"))
    assert remote.asked == []


def test_a_certificate_is_trusted_by_its_file_or_where_any_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    with Lookalike().serve(tls=True) as remote:
        with pytest.raises(SinkUnavailableError, match="certificate not trusted; set ca"):
            SINK.deliver(Options(url=remote.url), batch("passed"))
        SINK.deliver(Options(url=remote.url, ca=str(CERTIFICATE)), batch("passed"))
        with pytest.warns(InsecureRequestWarning):
            SINK.deliver(Options(url=remote.url, verify=False), batch("failed"))
    assert [one["outcome"] for one in remote.results] == ["PASSED", "FAILED"]


def test_a_check_tells_what_would_be_parked(remote: Lookalike) -> None:
    remote.outcomes = ["PASSED", "INFO", "FAILED", "NEEDS_INSPECTION"]
    assert list(SINK.check(Options(url=remote.url))) == [
        "a ResultsDB that knows PASSED, INFO, FAILED, NEEDS_INSPECTION",
        "does not know ERROR, QUEUED, RUNNING: results with these outcomes will be parked",
        "is well",
    ]


def test_a_check_of_something_else_says_what_url_is(remote: Lookalike) -> None:
    with pytest.raises(SinkUnavailableError, match="not there"):
        list(SINK.check(Options(url=f"{remote.base}/elsewhere")))
    remote.well = False
    with pytest.raises(SinkUnavailableError, match="is not well"):
        list(SINK.check(Options(url=remote.url)))
