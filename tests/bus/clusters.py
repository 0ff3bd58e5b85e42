"""A cluster of Kafka for tests: the one that librdkafka has within itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Cluster:
    """Brokers on loopback ports, for as long as this object is there.

    A member that leaves a group is missed until its session ends, so that sessions are short here.
    """

    def __init__(self, brokers: int = 3) -> None:
        from confluent_kafka import Producer

        self._holder: Any = Producer({
            "bootstrap.servers": "nowhere", "test.mock.num.brokers": brokers, "log_level": 0
        })  # fmt: skip
        found = self._holder.list_topics(timeout=10).brokers.values()
        self.servers = ",".join(f"{each.host}:{each.port}" for each in found)

    @property
    def url(self) -> str:
        return f"kafka://{self.servers}/"

    def reads(self, topic: str, group: str | None = None) -> str:
        """Make a topic where it is not there; return a URL that reads it, as one of a group."""
        self._holder.list_topics(topic, timeout=10)
        return f"{self.url}?topics={topic}&group={group or topic}&session_s=4"

    def end(self) -> None:
        """Let all brokers be gone."""
        self._holder = None


@contextmanager
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.end()
