"""RabbitMQ keeps the contract of transports; queues, windows and refusals are as they should."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from ci_results import Departure, SinkRefusedError, SinkUnavailableError, SourceRefusedError
from ci_results.bus.choosing import Chosen, choose
from ci_results.errors import SourceUnavailableError
from ci_results.testing.transport_contract import TransportContract

pytestmark = pytest.mark.needs("rabbitmq")
HERE = "amqp://127.0.0.1/"


def sent(topic: str, number: int = 0) -> Departure:
    return Departure(topic=topic, body=b"{}", id=f"m{number}", sent_at=datetime(2026, 1, 1, tzinfo=UTC))


class TestAmqp(TransportContract):
    @pytest.fixture
    def bus(self, rabbitmq: str) -> Chosen:
        self.topic = f"{rabbitmq}.contract"
        return choose(f"{HERE}?queue={rabbitmq}&topics={rabbitmq}.%23")


def test_only_bound_topics_come(rabbitmq: str) -> None:
    url = f"{HERE}?queue={rabbitmq}&topics={rabbitmq}.*.ci.%23&topics={rabbitmq}.b"
    with closing(choose(url).inlet()) as inlet, closing(choose(HERE).outlet()) as outlet:
        outlet.publish([sent(f"{rabbitmq}.{end}") for end in ("a.ci.x.y", "a.other", "b", "b.c")])
        found = [each.topic.removeprefix(f"{rabbitmq}.") for each in inlet.receive(9, 5, 0.3)]
    assert found == ["a.ci.x.y", "b"]


def test_a_quorum_queue_keeps_what_was_not_acknowledged(rabbitmq: str) -> None:
    url = f"{HERE}?queue={rabbitmq}&topics={rabbitmq}&quorum=true&prefetch=2"
    with closing(choose(url).inlet()) as inlet:
        with closing(choose(HERE).outlet()) as outlet:
            outlet.publish([sent(rabbitmq, number) for number in range(4)])
        assert len(inlet.receive(9, 5, 0.3)) == 2  # no more are handed over ahead
    with closing(choose(url).inlet()) as inlet:
        assert len(inlet.receive(2, 5, 0.3)) == 2
    with pytest.raises(SourceRefusedError, match=r"406 PRECONDITION_FAILED"):
        choose(f"{HERE}?queue={rabbitmq}").inlet()


def test_what_no_queue_wants_is_an_error_where_that_is_asked(rabbitmq: str) -> None:
    with closing(choose(HERE).outlet()) as outlet:
        outlet.publish([sent(rabbitmq)])
    with (
        closing(choose(f"{HERE}?mandatory=true").outlet()) as outlet,
        pytest.raises(SinkUnavailableError, match="no queue wants") as told,
    ):
        outlet.publish([sent(rabbitmq), sent(rabbitmq, 1)])
    assert told.value.delivered == 0


def test_a_topic_that_is_too_long_is_refused_and_those_before_it_are_sent(rabbitmq: str) -> None:
    with (
        closing(choose(f"{HERE}?queue={rabbitmq}&topics={rabbitmq}").inlet()) as inlet,
        closing(choose(HERE).outlet()) as outlet,
    ):
        with pytest.raises(SinkRefusedError, match="255 bytes") as told:
            outlet.publish([sent(rabbitmq), sent("x" * 256), sent(rabbitmq)])
        assert told.value.delivered == 1
        outlet.publish([sent(rabbitmq, 2)])
        assert [each.id for each in inlet.receive(9, 5, 0.3)] == ["m0", "m2"]


def test_a_message_that_cannot_be_made_is_told_and_those_before_it_are_sent(rabbitmq: str) -> None:
    class Breaks(list[Departure]):
        def __getitem__(self, place: Any) -> Any:
            return {0: sent(rabbitmq), 1: sent(rabbitmq, 1)}[place]

    with (
        closing(choose(f"{HERE}?queue={rabbitmq}&topics={rabbitmq}").inlet()) as inlet,
        closing(choose(HERE).outlet()) as outlet,
    ):
        with pytest.raises(KeyError):
            outlet.publish(Breaks([sent(rabbitmq)] * 4))
        outlet.publish([sent(rabbitmq, 2)])
        assert [each.id for each in inlet.receive(9, 5, 0.3)] == ["m0", "m1", "m2"]


def test_a_queue_that_is_deleted_is_told(rabbitmq: str) -> None:
    import pika

    url = f"{HERE}?queue={rabbitmq}&topics={rabbitmq}"
    with closing(choose(url).inlet()) as inlet:
        with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1")) as connection:
            connection.channel().queue_delete(rabbitmq)
        with pytest.raises(SourceUnavailableError, match="is gone"):
            inlet.receive(1, 5, 0)


def test_a_wrong_password_is_told(rabbitmq: str) -> None:
    with pytest.raises(SourceRefusedError, match="does not let us in"):
        choose("amqp://guest:wrong@127.0.0.1/").inlet()
    with pytest.raises(SinkUnavailableError, match="does not let us in"):
        choose("amqp://guest:wrong@127.0.0.1/").outlet()
