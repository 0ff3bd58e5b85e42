"""Canaries go there and back, and say whose clock is off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ci_results import Inlet, Outlet, SourceSession, Transport
from ci_results.bus.choosing import Chosen, choose
from ci_results.collect.source import Source
from ci_results.config_auth import Auth, TokenTable
from ci_results.operations.canary import ask_sources, examine_clocks, send_canaries
from ci_results.operations.doctor import Finding, Health
from ci_results.operations.ending import examine_auth, examine_waivers
from ci_results.plugin.manager import Plugins
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.waiver_contract import grant

MINUTE = timedelta(minutes=1)


def brief(findings: Any) -> list[tuple[str, str]]:
    return [(each.about, str(each.health)) for each in findings]


def advised(findings: list[Finding]) -> bool:
    return all(each.advice for each in findings if each.health is not Health.GOOD)


@pytest.mark.parametrize(
    "url",
    [
        "spool:",
        pytest.param("amqp://127.0.0.1/", marks=pytest.mark.needs("rabbitmq")),
        pytest.param("stomp://guest:guest@127.0.0.1/", marks=pytest.mark.needs("stomp")),
    ],
)
def test_a_message_goes_there_and_back_and_nobody_who_listens_sees_it(url: str, tmp_path: Path) -> None:
    bus = choose(f"spool:{tmp_path}/bus" if url == "spool:" else url)
    (told,) = send_canaries({"one": bus})
    assert (told.about, told.health) == ("canary of bus one", Health.GOOD)
    assert "there and back in" in told.says
    if url == "spool:":
        assert not list(tmp_path.rglob("*.json"))


def test_a_bus_that_is_away_or_has_no_place_for_it_is_told_with_what_to_type(tmp_path: Path) -> None:
    away = choose("amqp://127.0.0.1:1/")
    spool = choose(f"spool:{tmp_path}/bus")

    class Bare(Transport[Any]):
        name, schemes, options = "bare", ("bare",), type(spool.options)

        def inlet(self, options: Any, url: str) -> Inlet:
            raise NotImplementedError

        def outlet(self, options: Any, url: str) -> Outlet:
            return spool.outlet()

    bare = Chosen(transport=Bare(), url="bare:x", options=spool.options)
    told = list(send_canaries({"gone": away, "bare": bare}))
    assert brief(told) == [("canary of bus gone", "bad"), ("canary of bus bare", "good")]
    assert "127.0.0.1:1: " in told[0].says
    assert told[0].advice == "ci-results listen gone --once"
    assert told[1].says.startswith("the bus takes messages")


def test_a_message_that_does_not_come_back_is_told(tmp_path: Path) -> None:
    spool = choose(f"spool:{tmp_path}/bus")

    class Deaf(type(spool.transport)):  # type: ignore[misc]
        @contextmanager
        def aside(self, options: Any, url: str, topic: str) -> Iterator[tuple[Inlet, Outlet]]:
            with super().aside(options, url, topic) as (_, outlet):
                yield self.inlet(options, f"{url}-other"), outlet

    (told,) = send_canaries({"deaf": replace(spool, transport=Deaf())}, wait_s=0.05)
    assert told.health is Health.BAD
    assert "did not come back" in told.says


@contextmanager
def clock(ahead: timedelta) -> Iterator[str]:
    """Serve a machine whose clock is that far ahead."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", format_datetime(datetime.now(UTC) + ahead, usegmt=True))
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_each_source_is_asked_and_a_clock_that_is_off_is_told(
    plugins: Plugins, script: Callable[..., Path]
) -> None:
    scripted = plugins.collectors["scripted"]

    class Asking(type(scripted)):  # type: ignore[misc]
        def check(self, options: Any, http: SourceSession) -> Iterator[str]:
            http.get_json(options.jobs[0])
            yield "is there"

    def source(name: str, url: str) -> Source:
        options = scripted.options(script="x", jobs=(url,))
        return Source(name=name, collector=Asking(), options=options, url=url, retries=0)

    with clock(40 * MINUTE) as fast, clock(timedelta()) as right:
        told = list(ask_sources([source("fast", fast), source("right", right)]))
    assert brief(told) == [("canary of fast", "good"), ("canary of right", "good"), ("clock", "warning")]
    assert "fast is 40 min ahead of ours" in told[-1].says
    gone = Source(name="gone", collector=scripted, options=scripted.options(script="/nowhere"))
    (away,) = ask_sources([gone])
    assert (away.health, away.advice) == (Health.BAD, "ci-results source check gone")


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        ((0, 0, 0.5), [("clock", "good")]),
        ((0, 0, 40), [("clock", "warning")]),
        ((-9, -9, -9, 0), [("clock", "bad")]),
        ((9,), [("clock", "warning")]),
        ((), []),
    ],
    ids=["all agree", "one is off", "ours is off", "one alone", "nobody says"],
)
def test_whose_clock_is_off(minutes: tuple[float, ...], told: list[tuple[str, str]]) -> None:
    skews = {f"s{n}": minute * MINUTE for n, minute in enumerate(minutes)}
    found = list(examine_clocks(skews))
    assert brief(found) == told
    assert advised(found)
    if told == [("clock", "bad")]:
        assert "this machine's is 9 min ahead" in found[0].says


TODAY = date(2026, 3, 1)


def token(name: str, days: int | None) -> TokenTable:
    ends = None if days is None else TODAY + timedelta(days=days)
    return TokenTable(name=name, sha256=f"{len(name):064x}", expires=ends)


def test_tokens_that_end_soon_are_told_in_time(tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text(f'[[tokens]]\nname = "file"\nsha256 = "{9:064x}"\nexpires = 2026-03-02\n')
    auth = Auth(
        tokens=(token("a", None), token("bb", 60), token("old", -1), token("soon", 14)), tokens_file=str(file)
    )
    told = list(examine_auth(auth, TODAY))
    assert brief(told) == [
        ("token old", "bad"), ("token soon", "warning"), ("token file", "warning"), ("tokens", "good"),
    ]  # fmt: skip
    assert told[0].advice == "ci-results token new old --days 90"
    assert "2 of 5" in told[-1].says
    file.write_text("[[tokens")
    (broken,) = examine_auth(auth, TODAY)
    assert (broken.about, broken.health) == ("tokens file", Health.BAD)
    assert list(examine_auth(Auth())) == []


def test_waivers_that_end_within_two_days_are_told(store: SqliteStore) -> None:
    now = datetime.now(UTC)
    assert list(examine_waivers(store, now)) == []
    for hours in (1, 47, 49):
        store.waivers.append([grant(expires_at=now + timedelta(hours=hours))], {})
    (told,) = examine_waivers(store, now)
    assert (told.health, told.advice) == (Health.WARNING, "ci-results inbox")
    assert told.says.startswith("2 end within two days: W-1 (")
