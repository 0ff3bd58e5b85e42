"""Offsets are committed late, what is about one subject stays in order, and what fails is told."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ci_results import Departure, SinkRefusedError, SinkUnavailableError, SourceRefusedError
from ci_results.bus.choosing import choose
from ci_results.domain.page import Page
from ci_results.errors import SourceUnavailableError
from ci_results.messages.opening import open_arrival
from ci_results.operations.deliver import deliver
from ci_results.query.results import ResultQuery
from ci_results.sinks.bus import Bus, Options
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings
from ci_results.sinks.progress import State
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

sys.path.insert(0, str(Path(__file__).parent))
from clusters import Cluster, cluster
from ears import listen_once

sys.path.pop(0)

pytestmark = pytest.mark.needs("kafka")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def sent(topic: str, number: int = 0, **more: Any) -> Departure:
    return Departure(topic=topic, body=b'{"n": %d}' % number, id=f"m{number}", sent_at=NOON, **more)


def raw_consumer(brokers: Cluster, group: str) -> Any:
    from confluent_kafka import Consumer

    return Consumer(
        {"bootstrap.servers": brokers.servers, "group.id": group, "auto.offset.reset": "earliest"}
    )


def test_offsets_are_committed_as_messages_are_acknowledged(brokers: Cluster, topic: str) -> None:
    from confluent_kafka import TopicPartition

    with closing(choose(brokers.reads(topic)).inlet()) as inlet:
        with closing(choose(brokers.url).outlet()) as outlet:
            outlet.publish([sent(topic, number, about=f"widget-{number % 3}") for number in range(9)])
        found: list[Any] = []
        while len(found) < 9 and (more := inlet.receive(9, 5, 0.2)):
            found += more
        inlet.ack(found[:5])
        assert inlet.backlog() == 0
        inlet.idle(0.2)
        inlet.ack(found[5:7])
    ends: dict[int, int] = {}
    for each in found[:7]:
        ends[each.tag[1]] = each.tag[2] + 1
    with closing(raw_consumer(brokers, topic)) as consumer:
        kept = consumer.committed([TopicPartition(topic, partition) for partition in range(4)], timeout=10)
    assert {each.partition: each.offset for each in kept if each.offset >= 0} == ends
    of_one = [open_arrival(each).body["n"] for each in found if each.id in ("m1", "m4", "m7")]
    assert of_one == [1, 4, 7]  # what is about one subject stays in order


def test_who_waits_for_the_store_misses_nothing(brokers: Cluster, topic: str) -> None:
    with closing(choose(brokers.reads(topic)).inlet()) as inlet:
        with closing(choose(brokers.url).outlet()) as outlet:
            outlet.publish([sent(topic, number, about="widget") for number in range(2_000)])
        found = list(inlet.receive(10, 5, 0))
        inlet.idle(0.3)
        while len(found) < 2_000 and (more := inlet.receive(300, 5, 0)):
            found += more
        assert [str(each.id) for each in found] == [f"m{number}" for number in range(2_000)]


def test_a_subject_is_the_key_and_what_is_sent_says_who_it_is(brokers: Cluster, topic: str) -> None:
    brokers.reads(topic)
    with closing(choose(brokers.url).outlet()) as outlet:
        outlet.publish(
            [sent(topic, 1, about="widget-ä", headers={"ci_results_origin": "here"}), sent(topic, 2)]
        )
    with closing(raw_consumer(brokers, f"{topic}.raw")) as consumer:
        consumer.subscribe([topic])
        found = sorted((consumer.consume(1, 10)[0] for _ in range(2)), key=lambda each: each.value())
    assert [each.key() for each in found] == ["widget-ä".encode(), None]
    assert dict(found[0].headers()) == {
        "ci_results_origin": b"here", "message-id": b"m1", "sent-at": NOON.isoformat().encode(),
        "content-type": b"application/json",
    }  # fmt: skip


@pytest.mark.demand("S-126")
def test_a_store_is_copied_through_kafka(brokers: Cluster, topic: str, tmp_path: Path) -> None:
    given = [result(f"k{n}", testcase=f"ns.t{n:02}", item=f"widget-{n % 7}-1") for n in range(60)]
    url = brokers.reads(f"{topic}.resultsdb.result.new")
    sink = ConfiguredSink(
        name="out",
        sink=Bus(),
        options=Options(url=brokers.url, prefix=topic),
        keys=SinkKeys(kind="bus", batch=25),
    )
    with SqliteStore.open(tmp_path / "from.db") as store:
        store.commit_page(Page(source="ci", results=given))
        (report,) = deliver([sink], Surroundings(store=store))
        assert (report.state, report.sent) == (State.OK, 60)
    with SqliteStore.open(tmp_path / "to.db") as store:
        assert listen_once(url, store, origin="another", announced=True).stored == 60
        assert sorted(each.testcase for each in store.results(ResultQuery(limit=100))) == [
            f"ns.t{n:02}" for n in range(60)
        ]


def test_what_says_nothing_but_its_value_is_read(brokers: Cluster, topic: str) -> None:
    """As WaiverDB sends: no key, no headers. The time is the record's; what is the same is known as such."""
    from confluent_kafka import Producer

    url = brokers.reads(topic)
    producer = Producer({"bootstrap.servers": brokers.servers})
    for value in (b'{"id": 1}', b'{"id": 1}', None):
        producer.produce(topic, value, timestamp=int(NOON.timestamp() * 1000), partition=0)
    producer.flush(10)
    with closing(choose(url).inlet()) as inlet:
        first, second, empty = inlet.receive(3, 5, 5)
    assert (first.id, first.topic, empty.raw) == (None, topic, b"")
    opened = open_arrival(first)
    assert (opened.body, opened.time) == ({"id": 1}, NOON)
    assert opened.key == open_arrival(second).key


@pytest.mark.parametrize("bad", ["topic", "size"])
def test_what_kafka_never_takes_is_refused_and_those_before_it_are_sent(
    brokers: Cluster, topic: str, bad: str
) -> None:
    url = brokers.reads(topic)
    given = {
        "topic": sent("no topic"),
        "size": Departure(topic=topic, body=b"x" * 2_000_000, id="m", sent_at=NOON),
    }
    with closing(choose(brokers.url).outlet()) as outlet:
        with pytest.raises(
            SinkRefusedError, match=r"is no topic of Kafka: 'no topic'|Message size too large"
        ) as told:
            outlet.publish([sent(topic), given[bad], sent(topic, 2)])
        assert told.value.delivered == 1
        outlet.publish([sent(topic, 3)])
    with closing(choose(url).inlet()) as inlet:
        assert sorted(str(each.id) for each in inlet.receive(9, 5, 1)) == ["m0", "m3"]


def test_a_topic_that_is_not_there_is_told(brokers: Cluster) -> None:
    with pytest.raises(SourceRefusedError, match=r"topic org\.example\.none: .*Unknown topic"):
        choose(f"{brokers.url}?topics=org.example.none").inlet()


def test_a_pattern_of_topics_is_read(brokers: Cluster, topic: str) -> None:
    brokers.reads(f"{topic}.a.complete")
    url = f"{brokers.url}?topics=^{topic}%5B.%5D.*complete$&group={topic}&session_s=4"
    with closing(choose(brokers.url).outlet()) as outlet:
        outlet.publish([sent(f"{topic}.a.complete")])
    with closing(choose(url).inlet()) as inlet:
        (found,) = inlet.receive(9, 10, 0)
    assert found.topic == f"{topic}.a.complete"


def test_a_pattern_that_fits_no_topic_yet_is_no_fault(brokers: Cluster, topic: str) -> None:
    with closing(choose(f"{brokers.url}?topics=^{topic}.*&group={topic}").inlet()) as inlet:
        assert list(inlet.receive(1, 0.2, 0)) == []
        assert inlet.backlog() == 0


def test_a_cluster_that_is_gone_is_told(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster() as made:
        inlet = choose(made.reads(topic)).inlet()
        with closing(choose(made.url).outlet()) as outlet:
            outlet.publish([sent(topic)])
        inlet.ack(inlet.receive(1, 5, 0))
        monkeypatch.setattr("ci_results.bus.kafka_out.CONFIRM_WITHIN_S", 1)
        outlet = choose(made.url).outlet()
    with closing(inlet), pytest.raises(SourceUnavailableError, match=r"127\.0\.0\.1:"):
        inlet.receive(1, 20, 0)
    with closing(outlet), pytest.raises(SinkUnavailableError, match=r"127\.0\.0\.1:") as told:
        outlet.publish([sent(topic, 1)])
    assert told.value.delivered == 0
