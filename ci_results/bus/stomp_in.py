"""Messages in by STOMP: a queue, read ahead; each message is acknowledged for itself (client-individual)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..domain.carried import Arrival
from ..errors import SourceRefusedError, SourceUnavailableError
from ..plugin.transport import Inlet
from .gathering import gather
from .stomp import StompOptions
from .stomp_frames import frame
from .stomp_line import OPEN_WITHIN_S, Dial, Line

if TYPE_CHECKING:
    from stomp.utils import Frame

_OF_THE_SESSION = frozenset({"ack", "subscription"})


class StompInlet(Inlet):
    """Reads one queue. A broken connection closes it: what was not acknowledged comes again.

    Nothing is given back with NACK, which ActiveMQ answers by putting a message away for good.
    """

    def __init__(self, options: StompOptions, dial: Dial) -> None:
        self._ready: deque[Arrival] = deque()
        self._line = Line(dial, SourceUnavailableError, SourceRefusedError, beats=True)
        # Its message-id names a delivery, not a message: another whenever it is handed over again.
        self._counts_deliveries = self._line.server.startswith("RabbitMQ")
        try:
            self._subscribe(options)
        except BaseException:
            self._line.close()
            raise

    def receive(self, most: int, wait_s: float, linger_s: float) -> Sequence[Arrival]:
        """Return the next messages; see Inlet."""
        return gather(self._ready, self._pass_time, most, wait_s, linger_s)

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge each, all with one call to the system; see Inlet."""
        if arrivals:
            self._line.send(frame("ACK", {"id": each.tag}) for each in arrivals)

    def nack(self, arrivals: Sequence[Arrival]) -> None:
        """Hand these over once more; the broker has them until they are acknowledged. See Inlet."""
        self._ready.extendleft(reversed(arrivals))

    def idle(self, seconds: float) -> None:
        """Let time go by; our heart goes on beating, and what comes is kept."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._pass_time(left)

    def close(self) -> None:
        """Take leave; the broker takes back what was not acknowledged."""
        self._line.close()

    def _subscribe(self, options: StompOptions) -> None:
        queue = options.queue
        headers = {
            "id": "1",
            "destination": queue if queue.startswith("/") else f"/queue/{queue}",
            "ack": "client-individual",
            "prefetch-count": options.prefetch,
            "activemq.prefetchSize": options.prefetch,
            "receipt": "subscribed",
        }
        self._line.send([frame("SUBSCRIBE", headers)])
        _receipt, others = self._line.wait_for("RECEIPT", OPEN_WITHIN_S)
        self._line.settled = True
        self._keep(others)

    def _pass_time(self, seconds: float) -> None:
        self._keep(self._line.read(seconds))

    def _keep(self, frames: Sequence[Frame]) -> None:
        self._ready.extend(self._arrival(each) for each in frames if each.cmd == "MESSAGE")

    def _arrival(self, message: Frame) -> Arrival:
        told = message.headers
        headers = {name: value for name, value in told.items() if name not in _OF_THE_SESSION}
        if self._counts_deliveries:
            headers.pop("message-id", None)
        return Arrival(
            raw=message.body or b"",
            topic=told.get("original-destination") or told.get("destination", ""),
            headers=headers,
            id=told.get("amqp-message-id") or headers.get("message-id"),
            kind="frame",
            again=told.get("redelivered") == "true",
            tag=told.get("ack"),
        )
