"""Messages in from Kafka: a member of a group, whose offsets are committed when messages are stored."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, Message, TopicPartition

from ..domain.carried import Arrival
from ..errors import SourceRefusedError, SourceUnavailableError
from ..plugin.transport import Inlet
from .gathering import gather
from .kafka import OPEN_WITHIN_S, Faults, KafkaOptions

T = TypeVar("T")
JOIN_WITHIN_S = 60
LOOK_WITHIN_S = 10
_AT_ONCE = 500


class KafkaInlet(Inlet):
    """Reads the partitions that the group gives it. An error closes it: what is not committed comes again."""

    def __init__(self, options: KafkaOptions, settings: Mapping[str, Any], place: str) -> None:
        self._place, self._faults = place, Faults()
        self._ready: deque[Arrival] = deque()
        self._joined, self._only_patterns = False, all(each.startswith("^") for each in options.topics)
        self._unseen: set[tuple[str, int]] = set()
        """Partitions that may hold messages of which nothing was seen yet."""
        own = {
            "group.id": options.group,
            "session.timeout.ms": options.session_s * 1000,
            "heartbeat.interval.ms": min(3000, options.session_s * 250),
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "error_cb": self._faults.note,
        }
        self._consumer = self._told(lambda: Consumer({**settings, **own}))
        try:
            self._look(options.topics)
            self._told(lambda: self._consumer.subscribe(list(options.topics), on_assign=self._assigned))
            self._join()
        except BaseException:
            self.close()
            raise

    def receive(self, most: int, wait_s: float, linger_s: float) -> Sequence[Arrival]:
        """Return the next messages; see Inlet."""
        return gather(self._ready, self._pass_time, most, wait_s, linger_s)

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        """Commit where reading goes on after these, of each partition; wait until that is kept."""
        ends: dict[tuple[str, int], int] = {}
        for each in arrivals:
            topic, partition, offset = each.tag
            ends[topic, partition] = max(offset + 1, ends.get((topic, partition), 0))
        if not ends:
            return
        offsets = [TopicPartition(topic, partition, end) for (topic, partition), end in ends.items()]
        kept = self._told(lambda: self._consumer.commit(offsets=offsets, asynchronous=False))
        for end in kept or ():
            if end.error is not None:
                raise self._error(end.error)

    def nack(self, arrivals: Sequence[Arrival]) -> None:
        """Hand these over once more: their offsets are not committed. See Inlet."""
        self._ready.extendleft(reversed(arrivals))

    def idle(self, seconds: float) -> None:
        """Let time go by as a member who wants nothing more for now."""
        self._told(lambda: self._consumer.pause(self._consumer.assignment()))
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._pass_time(left)
        self._told(lambda: self._consumer.resume(self._consumer.assignment()))

    def backlog(self) -> int | None:
        """Return how many messages lie behind those that were handed over, as the last answers told."""
        waiting = len(self._ready)
        for each in self._told(lambda: self._consumer.position(self._consumer.assignment())):
            ends = self._told(partial(self._consumer.get_watermark_offsets, each, cached=True))
            if ends is not None and each.offset >= 0:
                waiting += max(0, ends[1] - each.offset)
        return waiting

    def close(self) -> None:
        """Leave the group; others go on where we committed last."""
        self._consumer.close()

    def _look(self, topics: Sequence[str]) -> None:
        """See whether the cluster answers, and has the topics."""
        for topic in topics:
            asked = None if topic.startswith("^") else topic
            found = self._answered(partial(self._consumer.list_topics, asked)).topics
            if asked is not None and (err := found[asked].error) is not None:
                raise SourceRefusedError(f"{self._place}: topic {topic}: {err.str()}")
        self._told(lambda: self._consumer.poll(0))
        self._faults.forget()

    def _join(self) -> None:
        """Become a member, and look into each partition: what waits there is handed over at once then."""
        until = time.monotonic() + JOIN_WITHIN_S
        while not self._joined:
            if (left := until - time.monotonic()) <= 0:
                raise SourceUnavailableError(f"{self._place}: the group takes nobody in: {JOIN_WITHIN_S} s")
            self._pass_time(min(left, 1))
        until = time.monotonic() + LOOK_WITHIN_S
        while self._unseen and not self._ready and (left := until - time.monotonic()) > 0:
            self._pass_time(min(left, 1))

    def _assigned(self, _consumer: object, partitions: Sequence[TopicPartition]) -> None:
        self._joined = True
        self._unseen = {(each.topic, each.partition) for each in partitions}

    def _pass_time(self, seconds: float) -> None:
        first = self._told(lambda: self._consumer.poll(seconds))
        if first is not None:
            self._take(first)
            for each in self._told(lambda: self._consumer.consume(_AT_ONCE, 0)):
                self._take(each)
        if self._faults.gone:
            raise self._error(KafkaError(KafkaError._ALL_BROKERS_DOWN))

    def _take(self, message: Message) -> None:
        """Keep one message until it is asked for."""
        err, where = message.error(), (message.topic() or "", message.partition() or 0)
        if err is None:
            self._ready.append(_arrival(message))
        elif err.code() == KafkaError._PARTITION_EOF:
            self._unseen.discard(where)
        elif err.code() == KafkaError.UNKNOWN_TOPIC_OR_PART and where[0].startswith("^"):
            self._joined = self._joined or self._only_patterns  # nothing is called so yet
        elif not err.retriable():
            raise self._error(err)

    def _told(self, call: Callable[[], T]) -> T:
        return self._faults.told(call, self._place, SourceUnavailableError, SourceRefusedError)

    def _answered(self, ask: Callable[[float], T]) -> T:
        kinds = SourceUnavailableError, SourceRefusedError
        return self._faults.answered(ask, OPEN_WITHIN_S, self._place, *kinds, self._consumer)

    def _error(self, err: KafkaError) -> Exception:
        return self._faults.error(err, self._place, SourceUnavailableError, SourceRefusedError)


def _arrival(message: Message) -> Arrival:
    topic = message.topic() or ""
    given: Any = message.headers() or ()
    headers = {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for name, value in given
        if value is not None
    }
    kind, stamp_ms = message.timestamp()
    if kind != TIMESTAMP_NOT_AVAILABLE and not {"sent-at", "sent_at"} & headers.keys():
        headers.setdefault("timestamp", str(stamp_ms))
    return Arrival(
        raw=message.value() or b"",
        topic=topic,
        headers=headers,
        id=headers.get("message-id"),
        tag=(topic, message.partition(), message.offset()),
    )
