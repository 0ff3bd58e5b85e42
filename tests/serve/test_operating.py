from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from prometheus_client.parser import text_string_to_metric_families
from requests import Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ci_results.domain.bus_message import ListenerState
from ci_results.domain.page import Page
from ci_results.domain.stored import SourceState
from ci_results.errors import (
    InvalidError,
    NotFoundError,
    OverloadedError,
    StaleError,
    StoreError,
    TooBroadError,
)
from ci_results.serve.app import application
from ci_results.serve.call import Below
from ci_results.serve.surroundings import Surroundings
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

from .conftest import Bounds


def test_healthcheck_tells_that_the_store_can_be_read(client: Session) -> None:
    answer = client.get("/healthcheck")
    assert (answer.status_code, answer.json()) == (200, {"message": "Health check OK"})


def test_healthcheck_tells_that_it_cannot(bounds: Bounds, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(store: SqliteStore, number: int) -> None:
        raise StoreError("disk I/O error")

    with bounds() as client:
        monkeypatch.setattr(SqliteStore, "result", unreadable)
        answer = client.get("/healthcheck")
    assert answer.status_code == 503
    assert answer.json() == {"message": "Unable to communicate with database"}


def counted(text: str, name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """Return all figures of one name, by the values of these labels."""
    return {
        tuple(one.labels[label] for label in labels): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if one.name == name
    }


def figure(text: str, name: str, **labels: str) -> float:
    """Return one figure of what /metrics answered."""
    (value,) = [
        one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if one.name == name and one.labels == labels
    ]
    return value


def test_metrics_count_requests_by_route_method_and_status(bounds: Bounds) -> None:
    async def fail(request: Request) -> Response:
        raise ZeroDivisionError

    with bounds([Route("/fail/{name}", fail)]) as client:
        for path in ("/ok", "/ok", "/fail/a", "/fail/b", "/nope/1", "/nope/2"):
            client.get(path)
        client.post("/ok", json={})
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    requests = partial(figure, answer.text, "ci_results_http_requests_total")
    assert requests(route="/ok", method="GET", status="200") == 2
    assert requests(route="/ok", method="POST", status="405") == 1
    assert requests(route="/fail/{name}", method="GET", status="500") == 2
    assert requests(route="none", method="GET", status="404") == 2
    assert figure(answer.text, "ci_results_http_request_seconds_count", route="/ok", method="GET") == 2
    assert figure(answer.text, "process_start_time_seconds") > 0


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/results?item=a", "/results"),
        ("/results/12", "/results/{id}"),
        ("/testcases/a/b%2Fc", "/testcases/{name}"),
        ("/testcases/a/b/results", "/testcases/{name}/results"),
        ("/groups/12", "/groups/{uuid}"),
        ("/groups/12/results", "/groups/{uuid}/results"),
        ("/nope/12", ""),
    ],
)
def test_metrics_tell_the_routes_of_an_api_apart(client: Session, path: str, template: str) -> None:
    status = str(client.get(f"/resultsdb/api/v2.0{path}").status_code)
    asked = {"route": f"/resultsdb/api/v2.0{template}", "method": "GET", "status": status}
    assert figure(client.get("/metrics").text, "ci_results_http_requests_total", **asked) >= 1


def test_metrics_tell_the_state_of_the_store(client: Session, generated: Path) -> None:
    text = client.get("/metrics").text
    with SqliteStore.open(generated) as store:
        counts = store.counts()
    assert figure(text, "ci_results_results_stored") == counts["results"] > 0
    waiting = counted(text, "ci_results_quarantined_records", "source", "door")
    with SqliteStore.open(generated) as store:
        assert waiting == store.quarantined_by_door()
    assert sum(waiting.values()) == counts["quarantined"] > 0
    assert figure(text, "ci_results_write_queue") == 0


def test_metrics_tell_how_sources_fare_and_how_far_the_follower_is(
    tmp_path: Path, serve_store: Callable[[Path], AbstractContextManager[Session]]
) -> None:
    path = tmp_path / "results.db"
    with SqliteStore.open(path) as store:
        for name in ("good", "bad", "new"):
            store.register_source(SourceState(name=name, collector="scripted"))
        store.note_attempt("good", None)
        store.note_attempt("bad", "HTTP 503")
        store.decisions.begin()
        store.commit_page(Page(source="good", results=[result("a", source="good")]))
    with serve_store(path) as client:
        text = client.get("/metrics").text
    failing = counted(text, "ci_results_source_failing", "source")
    assert failing == {("good",): 0, ("bad",): 1}
    assert counted(text, "ci_results_source_good_seconds_ago", "source").keys() == {("good",)}
    assert figure(text, "ci_results_follower_waiting_commits") == 1
    assert 0 <= figure(text, "ci_results_follower_oldest_waiting_seconds") < 60


@pytest.mark.demand("S-038")
def test_metrics_tell_what_waits_for_each_sink(
    tmp_path: Path, serve_store: Callable[[Path], AbstractContextManager[Session]]
) -> None:
    path = tmp_path / "results.db"
    with SqliteStore.open(path) as store:
        for key in ("a", "b", "c"):
            store.commit_page(Page(source="ci", results=[result(key)]))
        begin = store.outbox.begin("far")
        (end,) = store.outbox.after(begin, 1).positions
        store.outbox.move("far", begin, end, sent=0, parked=[(end.result, "no")])
    with serve_store(path) as client:
        text = client.get("/metrics").text
    assert figure(text, "ci_results_sink_waiting_results", sink="far") == 2
    assert figure(text, "ci_results_sink_parked_results", sink="far") == 1
    assert 0 <= figure(text, "ci_results_sink_oldest_waiting_seconds", sink="far") < 60


@pytest.mark.demand("S-115")
def test_metrics_tell_how_those_fare_who_listen(
    tmp_path: Path, serve_store: Callable[[Path], AbstractContextManager[Session]]
) -> None:
    path = tmp_path / "results.db"
    with SqliteStore.open(path) as store:
        store.bus.note(ListenerState(name="fedora", received=3, stored=2, backlog=7, lag_s=0.5))
        store.bus.note(ListenerState(name="umb", state="away", error="gone"))
    with serve_store(path) as client:
        text = client.get("/metrics").text
    assert figure(text, "ci_results_bus_backlog_messages", bus="fedora") == 7
    assert figure(text, "ci_results_bus_lag_seconds", bus="fedora") == 0.5
    assert figure(text, "ci_results_bus_received_messages", bus="fedora") == 3
    assert [figure(text, "ci_results_bus_up", bus=bus) for bus in ("fedora", "umb")] == [1, 0]
    assert 0 <= figure(text, "ci_results_bus_told_seconds_ago", bus="umb") < 60


def raising(error: Exception) -> Route:
    async def fail(request: Request) -> Response:
        raise error

    return Route("/api/fail", fail)


def raising_below(error: Exception) -> Below:
    class Failing:
        endpoints: ClassVar[dict[str, list[str]]] = {}

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            raise error

    return Below("/api", Failing())


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (InvalidError("outcome 'x' is none"), 400, None),
        (NotFoundError("no result 7"), 404, None),
        (OverloadedError("4096 submissions wait"), 503, "1"),
        (TooBroadError("narrow it by a testcase"), 503, None),
    ],
)
def test_an_error_says_what_to_do(bounds: Bounds, error: Exception, status: int, retry: str | None) -> None:
    with bounds([raising(error)]) as client:
        answer = client.get("/api/fail")
    assert answer.status_code == status
    assert answer.json() == {"message": str(error)}
    assert answer.headers.get("retry-after") == retry


def test_a_store_that_fails_is_told_to_the_log_and_its_address_to_no_stranger(
    bounds: Bounds, caplog: pytest.LogCaptureFixture
) -> None:
    with bounds([raising(StoreError("postgresql://ci@db.example/ci: the disk is full"))]) as client:
        answer = client.get("/api/fail")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "Try again" in answer.json()["message"]
    assert "db.example" not in answer.text
    assert any("db.example" in record.__dict__.get("reason", "") for record in caplog.records)


@pytest.mark.parametrize("failing", [raising, raising_below])
@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), StaleError("secret"), RecursionError()])
def test_an_accident_is_one_line_of_the_log_and_tells_strangers_nothing(
    bounds: Bounds,
    error: Exception,
    failing: Callable[[Exception], BaseRoute],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with bounds([failing(error)]) as client:
        answer = client.get("/api/fail")
        assert client.get("/ok").text == "ok"
    assert answer.status_code == 500
    assert answer.json() == {"message": "Internal Server Error"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.message == "request failed"
    assert line.__dict__["path"] == "/api/fail"
    assert line.exc_info is not None


def test_unknown_addresses_are_told_to_machines_in_json(client: Session) -> None:
    answer = client.get("/api/nope")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})
    assert "<html" in client.get("/nope").text


def test_the_access_log_has_a_line_for_each_request(bounds: Bounds, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ci_results.access"), bounds(access_log=True) as client:
        client.get("/ok", headers={"User-Agent": 'curl"\x80', "X-Forwarded-For": "192.0.2.7"})
        client.post("/echo", json=[1, 2, 3])
    first, second = [record.__dict__ for record in caplog.records if record.name == "ci_results.access"]
    assert {name: first[name] for name in ("client", "method", "path", "status", "bytes", "user_agent")} == {
        "client": "192.0.2.7",
        "method": "GET",
        "path": "/ok",
        "status": 200,
        "bytes": 2,
        "user_agent": 'curl"\x80',
    }
    assert 0 < first["ms"] < 5000
    assert second["bytes"] == 9


def test_without_a_view_people_are_told_how_to_get_one(
    serve: Callable[[Starlette], AbstractContextManager[Session]], tmp_path: Path
) -> None:
    with ExitStack() as held:
        store = held.enter_context(SqliteStore.open(tmp_path / "a.db"))
        client = held.enter_context(serve(application(Surroundings(store=store), None)))
        for path, status in (("/", 200), ("/browse", 404), ("/browse/results", 404)):
            answer = client.get(path)
            assert answer.status_code == status
            assert "ci-results db copy postgresql://" in answer.text
        assert client.get("/healthcheck").status_code == 200
        assert client.get("/static/style.css").status_code == 200
