"""A stock fedora-messaging reads what we publish, and we read what it publishes, through a real RabbitMQ."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from pathlib import Path

import environments
import pytest

from ci_results.bus.choosing import choose
from ci_results.decide.policy_set import load
from ci_results.domain.page import Page
from ci_results.operations.deliver import deliver
from ci_results.operations.events import EventDoor
from ci_results.operations.ingest import Ingest, Taking
from ci_results.operations.listen import Ear, Surroundings, listen
from ci_results.plugin.manager import load_plugins
from ci_results.query.results import ResultQuery
from ci_results.sinks.bus import Bus, Options
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings as Delivering
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

HERE = "amqp://127.0.0.1/"
DRIVE = Path(__file__).parent / "drive_fedora_messaging.py"
pytestmark = [pytest.mark.needs("rabbitmq", "fedora-messaging"), pytest.mark.timeout(120)]


def drive(tmp_path: Path, *words: str, said: str = "") -> str:
    """Run the stock client, without a configuration but the address of the broker."""
    config = tmp_path / "fedora.toml"
    config.write_text(f'amqp_url = "{HERE}"\ntopic_prefix = ""\n')
    return subprocess.run(
        [environments.python("fedora-messaging"), DRIVE, *words],
        env={"FEDORA_MESSAGING_CONF": str(config)}, input=said, text=True, check=True, timeout=90,
        stdout=subprocess.PIPE,
    ).stdout  # fmt: skip


@pytest.mark.demand("S-035")
def test_it_reads_what_we_publish(tmp_path: Path, rabbitmq: str) -> None:
    choose(f"{HERE}?queue={rabbitmq}&topics={rabbitmq}.%23").inlet().close()
    with SqliteStore.open(tmp_path / "r.db") as store:
        given = [result(f"k{n}", testcase=f"ns.t{n}", note="ž") for n in range(3)]
        store.commit_page(Page(source="ci", results=given))
        options = Options(url=HERE, prefix=rabbitmq, origin="here")
        keys = SinkKeys(kind="bus")
        deliver([ConfiguredSink(name="o", sink=Bus(), options=options, keys=keys)], Delivering(store=store))
    told = drive(tmp_path, "consume", rabbitmq, f"{rabbitmq}.resultsdb.result.new", "3")
    came = [json.loads(line) for line in told.splitlines()]
    assert [each["body"]["testcase"]["name"] for each in came] == ["ns.t0", "ns.t1", "ns.t2"]
    assert {(each["topic"], each["severity"], each["kind"]) for each in came} == {
        (f"{rabbitmq}.resultsdb.result.new", 20, "Message")
    }
    assert came[0]["body"]["note"] == "ž"
    assert came[0]["headers"]["ci_results_origin"] == "here"
    with closing(choose(f"{HERE}?queue={rabbitmq}").inlet()) as inlet:
        assert list(inlet.receive(9, 0.3, 0)) == []  # it acknowledged all


@pytest.mark.demand("S-112", "S-019")
def test_we_read_what_it_publishes(tmp_path: Path, rabbitmq: str) -> None:
    bus = choose(f"{HERE}?queue={rabbitmq}&topics={rabbitmq}.%23")
    bus.inlet().close()
    bodies = [
        {
            "testcase": f"ns.t{n}", "outcome": "PASSED", "ref_url": f"https://ci.example/{n}",
            "data": {"item": "widget-1-2.fc43", "type": "koji_build"},
        }
        for n in range(2)
    ]  # fmt: skip
    lines = "".join(f"{json.dumps(body)}\n" for body in bodies)
    drive(tmp_path, "publish", rabbitmq, f"{rabbitmq}.results", "2", said=lines)
    plugins, taking = load_plugins(), Taking(name="fedora")
    with SqliteStore.open(tmp_path / "r.db") as store:
        door = EventDoor(store=store, policies=load([], plugins.rule_types))
        around = Surroundings(store=store, plugins=plugins, door=door, once=True)
        (state,) = listen([Ear(bus=bus, taking=taking, ingest=Ingest(taking, plugins))], around)
        assert (state.received, state.stored, state.quarantined) == (2, 2, 0)
        results = store.results(ResultQuery())
        assert sorted(each.testcase for each in results) == ["ns.t0", "ns.t1"]
        (message,) = store.bus.of_result(results[0].id)
        assert message.topic == f"{rabbitmq}.results"
        assert len(message.key) == 36  # the uuid that it gave
        assert state.lag_s is not None
