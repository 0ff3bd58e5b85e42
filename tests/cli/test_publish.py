"""`ci-results publish`: what a build tells of itself arrives once, by a bus or at a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from fake_server import Client, serving

from ci_results import open_message
from ci_results.bus.choosing import choose
from ci_results.config_auth import Auth
from ci_results.messages.resultsdb import ResultsDBOptions, ResultsDBResults

Ask = Callable[..., Result]
TOLD = (
    "--testcase", "baseos.smoke", "--outcome", "failed", "--item", "bash-5.2-1.fc40",
    "--ref-url", "https://ci.example/job/x/1/", "--note", "n", "--data", "job=x", "--data", "who=a",
    "--data", "who=b=c", "--time", "2026-03-01T12:00",
)  # fmt: skip


@pytest.fixture
def server() -> Iterator[Client]:
    with serving(Auth()) as client:
        yield client


def received(folder: Path) -> list[bytes]:
    with closing(choose(f"spool:{folder}").inlet()) as inlet:
        found = inlet.receive(10, 0, 0)
        inlet.ack(found)
        return [each.raw for each in found]


@pytest.mark.demand("S-112")
@pytest.mark.demand("S-122")
def test_what_is_put_on_a_bus_is_read_as_the_result_it_is(ask: Ask, folder: Path) -> None:
    first, second = ask("publish", "spool:bus", *TOLD), ask("publish", "spool:bus", *TOLD)
    assert (first.exit_code, first.stdout) == (0, second.stdout)
    assert "baseos.smoke FAILED: is on spool:" in first.stdout
    reader, read = ResultsDBResults(), []
    for raw in received(folder / "bus"):
        envelope = open_message(raw)
        assert (envelope.topic, reader.recognises(envelope)) == ("ci_results.published", True)
        read += list(reader.read(ResultsDBOptions(), envelope))
    assert len(read) == 2
    assert read[0] == read[1]
    one = read[0]
    assert (one.testcase, one.outcome, one.item, one.item_type) == (
        "baseos.smoke", "FAILED", "bash-5.2-1.fc40", "koji_build",
    )  # fmt: skip
    assert (one.ref_url, one.note, f"{one.time:%FT%H:%M}") == (
        "https://ci.example/job/x/1/", "n", "2026-03-01T12:00",
    )  # fmt: skip
    assert one.data["who"] == ("a", "b=c")


def test_what_is_told_to_a_server_twice_is_stored_once(ask: Ask, server: Client) -> None:
    first, second = ask("publish", server.root, *TOLD), ask("publish", f"{server.root}/", *TOLD, "--json")
    assert (first.exit_code, first.stdout) == (0, f"baseos.smoke FAILED: is result 1 of {server.root}\n")
    assert json.loads(second.stdout)["said"] == f"is result 1 of {server.root}"
    (one,) = server.get("/api/v2.0/results").json()["data"]
    assert (one["outcome"], one["ref_url"], one["data"]["who"]) == (
        "FAILED", "https://ci.example/job/x/1/", ["a", "b=c"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--outcome", "SUCCESS"), "outcome 'SUCCESS' is none of PASSED"),
        (("--testcase", "smoke"), "needs a namespace"),
        (("--item", " "), "item is empty"),
        (("--ref-url", "job/x/1"), "must be the address of the run"),
    ],
)
def test_what_no_door_would_take_is_not_sent(
    ask: Ask, folder: Path, more: tuple[str, str], said: str
) -> None:
    answer = ask("publish", "spool:bus", *TOLD, *more)
    assert (answer.exit_code, said in answer.stderr) == (3, True)
    assert not (folder / "bus").exists()


def test_a_far_side_that_does_not_take_it_says_which_and_why(
    ask: Ask, server: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = ask("publish", "http://127.0.0.1:1", *TOLD)
    assert (away.exit_code, "refused" in away.stderr) == (3, True)
    other = ask("publish", f"{server.root}/elsewhere", *TOLD)
    assert (other.exit_code, "no ci-results server answers there" in other.stderr) == (1, True)
    unknown = ask("publish", "carrier-pigeon:x", *TOLD)
    assert (unknown.exit_code, "no transport for" in unknown.stderr) == (3, True)
    misspelt = ask("publish", "spool:bus", *TOLD, "--data", "novalue")
    assert (misspelt.exit_code, "is no KEY=VALUE" in misspelt.stderr) == (64, True)
    monkeypatch.setenv("CI_TOKEN", "wrong")
    refused = ask("publish", server.root, *TOLD, "--token-env", "CI_TOKEN")
    assert refused.exit_code in (0, 1)
