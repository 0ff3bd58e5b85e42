"""Messages out to Kafka: once, on all replicas in sync; the report of each one's delivery is waited for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, Producer

from ..domain.carried import Departure
from ..errors import DeliveryError, SinkRefusedError, SinkUnavailableError
from ..plugin.transport import Outlet
from .confirmations import Confirmations
from .kafka import OPEN_WITHIN_S, Faults

T = TypeVar("T")
CONFIRM_WITHIN_S = 60
"""A message of which nothing is heard for so long is taken for not delivered."""

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_NEVER = frozenset({
    KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE, KafkaError.INVALID_MSG,
    KafkaError.INVALID_RECORD, KafkaError.TOPIC_EXCEPTION,
})  # fmt: skip
"""What is said of a message that no cluster in this shape will ever take."""


class KafkaOutlet(Outlet):
    """One producer: messages with one key, which is what they are about, stay in order."""

    def __init__(self, settings: Mapping[str, Any], place: str) -> None:
        self._place, self._faults = place, Faults()
        own = {
            "enable.idempotence": True,
            "acks": "all",
            "delivery.timeout.ms": CONFIRM_WITHIN_S * 1000,
            "error_cb": self._faults.note,
        }
        self._producer = self._told(lambda: Producer({**settings, **own}))
        kinds = SinkUnavailableError, SinkUnavailableError
        ask = partial(self._producer.list_topics, None)
        self._faults.answered(ask, OPEN_WITHIN_S, place, *kinds, self._producer)
        self._faults.forget()

    def publish(self, messages: Sequence[Departure]) -> None:
        """Send and wait for all reports of delivery; see Outlet."""
        run = _Run()
        for number, each in enumerate(messages):
            run.given = number
            if not _TOPIC.fullmatch(each.topic):
                run.fault = SinkRefusedError(f"is no topic of Kafka: {each.topic[:80]!r}")
            else:
                self._produce(each, run.reported(number), run)
            if run.fault is not None:
                break
        self._producer.flush(CONFIRM_WITHIN_S + OPEN_WITHIN_S)
        self._judge(run, len(messages))

    def close(self) -> None:
        """Let go of what is not sent: it is sent again by who comes next. See Outlet."""
        with suppress(KafkaException):
            self._producer.purge()
        self._producer.flush(1)

    def _produce(self, message: Departure, report: Callable[[Any, Any], None], run: _Run) -> None:
        headers = {
            **message.headers,
            "message-id": message.id,
            "sent-at": message.sent_at.isoformat(),
            "content-type": "application/json",
        }
        give = partial(
            self._producer.produce,
            message.topic,
            message.body,
            key=message.about.encode() or None,
            headers={name: value.encode() for name, value in headers.items()},
            on_delivery=report,
        )
        while True:
            try:
                give()
            except BufferError:  # as much is on its way as may be
                self._producer.poll(1)
                continue
            except KafkaException as err:
                run.fault = self._error(err.args[0])
            else:
                self._producer.poll(0)
            return

    def _judge(self, run: _Run, count: int) -> None:
        """Raise what went wrong with the first message that did not arrive."""
        delivered = run.confirmed.count
        if delivered == count:
            return
        if delivered in run.faults:
            problem = self._error(run.faults[delivered])
        elif run.fault is not None and delivered == run.given:
            problem = run.fault
        else:
            problem = SinkUnavailableError(f"{self._place}: confirms nothing for {CONFIRM_WITHIN_S} s")
        problem.delivered = delivered
        raise problem

    def _told(self, call: Callable[[], T]) -> T:
        return self._faults.told(call, self._place, SinkUnavailableError, SinkUnavailableError)

    def _error(self, err: KafkaError) -> DeliveryError:
        if err.code() in _NEVER:
            return SinkRefusedError(f"{self._place}: {err.str()}")
        problem = self._faults.error(err, self._place, SinkUnavailableError, SinkUnavailableError)
        return SinkUnavailableError(str(problem))


class _Run:
    """One call of `publish`.

    given   how many were given to the producer
    faults  what came back for those that were not delivered, by their number
    fault   why the next one was not given to it
    """

    def __init__(self) -> None:
        self.confirmed = Confirmations()
        self.given = 0
        self.faults: dict[int, KafkaError] = {}
        self.fault: DeliveryError | None = None

    def reported(self, number: int) -> Callable[[Any, Any], None]:
        """Return what takes the report of one message."""

        def report(err: KafkaError | None, _message: object) -> None:
            if err is None:
                self.confirmed.add(number)
            else:
                self.faults[number] = err

        return report
