"""The command line and its buses: listen, doctor, quarantine retry, and a server that listens too."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from click.testing import Result

from ci_results.store.sqlite import SqliteStore

Ask = Callable[..., Result]
LONG_S = 60
RESULT = {
    "testcase": "ns.t1", "outcome": "PASSED", "ref_url": "https://ci.example/1",
    "data": {"item": "widget-1.4-2.fc43", "type": "koji_build"},
}  # fmt: skip


def drop(folder: Path, name: str, body: object = RESULT, key: str = "id-1") -> None:
    """Put a message into a folder, as anybody may: written beside, then renamed into it."""
    (folder / "new").mkdir(parents=True, exist_ok=True)
    draft = folder / f"{name}.tmp"
    draft.write_text(json.dumps({"topic": "org.example.results", "id": key, "headers": {}, "body": body}))
    draft.rename(folder / "new" / f"{name}.json")


@pytest.fixture
def two_buses(folder: Path) -> Path:
    """A configuration with two folders of messages."""
    (folder / "ci-results.toml").write_text(
        'store = "sqlite:r.db"\n[bus.one]\nurl = "spool:one"\n[bus.two]\nurl = "spool:two"\n'
    )
    return folder


@pytest.mark.demand("S-114", "S-019")
def test_all_buses_are_listened_to_and_a_message_by_both_is_stored_once(ask: Ask, two_buses: Path) -> None:
    for name in ("one", "two"):
        drop(two_buses / name, "a")
    done = ask("listen", "--once", "--json")
    assert done.exit_code == 0, done.output
    states = json.loads(done.stdout)
    assert [(each["name"], each["state"], each["received"]) for each in states] == [
        ("one", "stopped", 1), ("two", "stopped", 1),
    ]  # fmt: skip
    assert sum(each["stored"] for each in states) == 1
    with SqliteStore.open(two_buses / "r.db") as store:
        assert [each.transports for each in store.bus.of_result(1)] == [("one", "two")]
    (said,) = json.loads(ask("result", "show", 1, "--json").stdout)["messages"]
    assert (said["key"], said["transports"], said["mapping"]) == ("id-1", ["one", "two"], "resultsdb@1")
    shown = ask("result", "show", 1).stdout
    assert re.search(r"^message +org\.example\.results id-1 by one, two, read by resultsdb@1$", shown, re.M)
    told = {each["about"]: each["health"] for each in json.loads(ask("doctor", "--json").stdout)}
    assert told["buses"] == "good"


def test_a_bus_may_be_a_url_and_its_results_of_another_source(ask: Ask, folder: Path) -> None:
    drop(folder / "in", "a")
    assert ask("--store", "sqlite:r.db", "listen", "spool:in", "--once", "--source", "team").exit_code == 0
    (one,) = json.loads(ask("--store", "sqlite:r.db", "result", "list", "--json").stdout)
    assert one["source"] == "team"


def test_what_cannot_be_read_is_listed_and_read_again(ask: Ask, two_buses: Path) -> None:
    drop(two_buses / "one", "a", {**RESULT, "outcome": "CRASHED"})
    assert ask("listen", "one", "--once").exit_code == 0
    assert ask("quarantine", "retry", "--all").exit_code == 1
    file = two_buses / "ci-results.toml"
    file.write_text('outcomes = ["CRASHED"]\n' + file.read_text())
    again = ask("quarantine", "retry", "--all")
    assert again.exit_code == 0, again.output
    (one,) = json.loads(ask("result", "list", "--json").stdout)
    assert one["outcome"] == "CRASHED"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 64, "name a bus: spool:FOLDER"),
        (("three",), 3, "no bus 'three'; known are none; or give a URL"),
        (("nats://h",), 3, "no transport for 'nats://h'"),
        (("amqp://127.0.0.1:9/", "--once"), 3, "127.0.0.1:9"),
    ],
)
def test_what_cannot_be_listened_to_is_told(
    words: tuple[str, ...], code: int, said: str, ask: Ask, folder: Path
) -> None:
    done = ask("listen", *words)
    assert (done.exit_code, said in done.stderr) == (code, True), done.output


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[bus.x]\nqueue = "q"', r"\[bus\.x\] url: missing"),
        ('[bus.x]\nurl = "amqp://a:b@h/"', r"\[bus\.x\] url: no secrets"),
        ('[bus.x]\nurl = "amqp://h/"\nqeue = "q"', r"\[bus\.x\] qeue: unknown key"),
        ('[bus.x]\nurl = "spool:a"\nowns = []', r"\[bus\.x\] owns: a glob is empty"),
        ('[bus.x]\nurl = "spool:a"\n[listen]\ngroup = 0', r"\[listen\].*group must be at least 1"),
        ('[bus.x]\nurl = "spool:a"\n[messages.nobody]', r"\[messages\.nobody\]: nothing reads 'nobody'"),
        ('[bus.x]\nurl = "spool:a"\n[messages.ci_messages]\nx = 1', r"\[messages\.ci_messages\] x: unknown"),
        ('[bus.X]\nurl = "spool:a"', r"bus name 'X'"),
    ],
)
def test_a_wrong_configuration_names_table_and_key(table: str, said: str, ask: Ask, folder: Path) -> None:
    (folder / "ci-results.toml").write_text(f'store = "sqlite:r.db"\n{table}\n')
    done = ask("listen", "--once")
    assert done.exit_code == 3
    assert re.search(said, done.stderr), done.stderr


@pytest.mark.timeout(3 * LONG_S)
@pytest.mark.demand("S-115")
def test_a_server_listens_too_and_both_end_when_they_are_told(two_buses: Path) -> None:
    words = [sys.executable, "-m", "ci_results", "serve", "--listen", "--port", "0"]
    with subprocess.Popen(words, cwd=two_buses, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        root = next(
            found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line))
        )
        drop(two_buses / "one", "a")
        until = time.monotonic() + LONG_S
        while (two_buses / "one" / "new" / "a.json").exists() and time.monotonic() < until:
            time.sleep(0.05)
        told = requests.get(f"{root}/metrics", timeout=LONG_S).text
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    assert 'ci_results_bus_up{bus="one"} 1.0' in told
    with SqliteStore.open(two_buses / "r.db") as store:
        assert store.counts()["results"] == 1
        assert {each.name: (each.state, each.received) for each in store.bus.listeners()} == {
            "one": ("stopped", 1), "two": ("stopped", 0),
        }  # fmt: skip


def test_doctor_says_what_keeps_from_listening(ask: Ask, folder: Path) -> None:
    pytest.importorskip("stomp")
    (folder / "ci-results.toml").write_text(
        '[bus.umb]\nurl = "stomps://umb.example"\n[bus.ours]\nurl = "spool:in"\n'
        '[bus.odd]\nurl = "stomp://umb.example"\nqueues = "q"\n'
    )
    found = json.loads(ask("doctor", "--json").stdout)
    told = {each["about"]: each["says"] for each in found if each["health"] == "bad"}
    assert "umb.example:61612: queue: missing" in told["bus umb"]
    assert "[bus.odd] queues: unknown key" in told["bus odd"]
    assert "bus ours" not in told
