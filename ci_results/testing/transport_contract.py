"""TransportContract: inherit it, and pytest holds a transport to every rule the core relies on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from ..bus.choosing import Chosen
from ..domain.carried import KINDS, Arrival, Departure
from ..domain.envelope import Envelope
from ..messages.opening import open_arrival
from ..plugin.transport import Inlet
from .plugin_rules import check_name, check_options

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WAIT_S = 10.0
"""A broker may take its time; what is there comes at once."""

NO_WAIT_S = 0.3


class TransportContract:
    """The rules of a transport, each a test named as the rule.

    Say in `bus` which one, on an empty place; what is published with `topic` is received there.
    """

    topic = "org.example.contract"

    @pytest.fixture
    def bus(self, tmp_path: Path) -> Chosen:
        """Give a bus on which nothing waits."""
        raise NotImplementedError

    def message(self, number: int, **headers: str) -> Departure:
        """Return a message to send."""
        body = orjson.dumps({"number": number})
        return Departure(
            topic=self.topic, body=body, id=f"contract-{number}", sent_at=NOON, headers=headers, about="x"
        )

    def publish(self, bus: Chosen, *numbers: int) -> None:
        """Put messages on the bus; a way in was opened before, so that there is where they wait."""
        with closing(bus.outlet()) as outlet:
            outlet.publish([self.message(number) for number in numbers])

    def numbers(self, arrivals: Sequence[Arrival]) -> list[int]:
        """Return what their bodies say."""
        return [open_arrival(each).body["number"] for each in arrivals]

    def drain(self, inlet: Inlet, count: int) -> list[Arrival]:
        """Receive so many."""
        found: list[Arrival] = []
        while len(found) < count and (some := inlet.receive(count - len(found), WAIT_S, 0)):
            found.extend(some)
        return found

    # -- the rules ---------------------------------------------------------------------------------

    def test_a_place_of_its_own_sees_its_topic_and_leaves_nothing(self, bus: Chosen) -> None:
        """Two at once do not see each other; nothing of them is on the bus afterwards."""
        one, other = (bus.transport.aside(bus.options, bus.url, f"contract.{name}") for name in "ab")
        if one is None or other is None:
            return
        with one as (inlet, outlet), other as (elsewhere, _):
            outlet.publish([self.message(7)._replace(topic="contract.a")])
            assert self.numbers(self.drain(inlet, 1)) == [7]
            assert list(elsewhere.receive(1, NO_WAIT_S, 0)) == []
        with closing(bus.inlet()) as inlet:
            assert list(inlet.receive(1, NO_WAIT_S, 0)) == []

    def test_the_name_is_plain_and_the_options_have_defaults(self, bus: Chosen) -> None:
        """Lower case letters; a frozen dataclass that is whole without a configuration."""
        check_name(bus.transport)
        check_options(bus.transport, bus.transport.options())
        assert bus.transport.schemes

    def test_what_is_published_is_received_in_order_as_it_was(self, bus: Chosen) -> None:
        """Topic, id, headers and body are as they were sent."""
        with closing(bus.inlet()) as inlet:
            with closing(bus.outlet()) as outlet:
                outlet.publish([self.message(1, ci_results_origin="here"), self.message(2)])
                outlet.publish([self.message(3)])
            found = self.drain(inlet, 3)
            inlet.ack(found)
            opened: list[Envelope] = [open_arrival(each) for each in found]
        assert [each.body for each in opened] == [{"number": number} for number in (1, 2, 3)]
        assert {each.topic for each in opened} == {self.topic}
        assert [each.key for each in opened] == ["contract-1", "contract-2", "contract-3"]
        assert opened[0].headers["ci_results_origin"] == "here"
        assert opened[0].time == NOON
        assert all(each.kind in KINDS for each in found)

    def test_no_more_than_asked_come_at_once(self, bus: Chosen) -> None:
        """The rest waits."""
        with closing(bus.inlet()) as inlet:
            self.publish(bus, 1, 2, 3)
            assert len(inlet.receive(2, WAIT_S, WAIT_S)) == 2
            assert len(inlet.receive(2, WAIT_S, 0)) == 1

    def test_where_nothing_is_nothing_comes(self, bus: Chosen) -> None:
        """And it does not wait for longer than it was told."""
        with closing(bus.inlet()) as inlet:
            assert list(inlet.receive(9, NO_WAIT_S, NO_WAIT_S)) == []

    def test_what_was_acknowledged_does_not_come_again(self, bus: Chosen) -> None:
        """Also not to who comes later; what was not does."""
        with closing(bus.inlet()) as inlet:
            self.publish(bus, 1, 2, 3, 4)
            found = self.drain(inlet, 4)
            inlet.ack(found[:2])
        with closing(bus.inlet()) as inlet:
            left: set[int] = set()
            while not {3, 4} <= left and (found := list(inlet.receive(9, WAIT_S, 0))):
                left.update(self.numbers(found))
                inlet.ack(found)
            assert {3, 4} <= left
        with closing(bus.inlet()) as inlet:
            assert list(inlet.receive(9, NO_WAIT_S, 0)) == []

    def test_what_is_given_back_comes_again(self, bus: Chosen) -> None:
        """And may be acknowledged then."""
        with closing(bus.inlet()) as inlet:
            self.publish(bus, 1, 2)
            inlet.nack(self.drain(inlet, 2))
            again = self.drain(inlet, 2)
            assert sorted(self.numbers(again)) == [1, 2]
            inlet.ack(again)
            assert list(inlet.receive(9, NO_WAIT_S, 0)) == []

    def test_it_waits_while_time_goes_by(self, bus: Chosen) -> None:
        """`idle` keeps what was received in hand."""
        with closing(bus.inlet()) as inlet:
            self.publish(bus, 1)
            found = self.drain(inlet, 1)
            inlet.idle(0.05)
            inlet.ack(found)

    def test_many_go_at_once(self, bus: Chosen) -> None:
        """More than a window of confirmations; none is lost, none overtakes another."""
        with closing(bus.inlet()) as inlet:
            self.publish(bus, *range(250))
            found = self.drain(inlet, 250)
            inlet.ack(found)
        assert self.numbers(found) == list(range(250))

    def test_nothing_to_send_is_sent_at_once(self, bus: Chosen) -> None:
        """An empty list is no error."""
        with closing(bus.outlet()) as outlet:
            outlet.publish([])
