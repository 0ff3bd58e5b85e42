"""Messages out by STOMP: persistent, a window of them ahead of their receipts."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..domain.carried import Departure
from ..errors import SinkRefusedError, SinkUnavailableError
from ..plugin.transport import Outlet
from .confirmations import Confirmations
from .stomp import StompOptions
from .stomp_frames import frame
from .stomp_line import Dial, Line

if TYPE_CHECKING:
    from stomp.utils import Frame

CONFIRM_WITHIN_S = 120
"""A broker that confirms nothing for so long is taken for gone."""

_TOPIC = re.compile(r"[^\s\x00-\x1f]{1,255}")


class StompOutlet(Outlet):
    """One connection: what it sends stays in order.

    It does not promise to say that it is alive, so that it may rest while the store is asked.
    """

    def __init__(self, options: StompOptions, dial: Dial) -> None:
        self._options = options
        self._line = Line(dial, SinkUnavailableError, SinkUnavailableError, beats=False)
        self._line.settled = True

    def publish(self, messages: Sequence[Departure]) -> None:
        """Send and wait for all receipts; see Outlet."""
        for number, each in enumerate(messages):
            if not _TOPIC.fullmatch(each.topic):
                self._send(messages[:number])
                raise SinkRefusedError(f"topic is empty, too long or has blanks: {each.topic[:80]!r}", number)
        self._send(messages)

    def close(self) -> None:
        """Take leave; see Outlet."""
        self._line.close()

    def _send(self, messages: Sequence[Departure]) -> None:
        confirmed, sent, on_the_way = Confirmations(), 0, set[int]()
        until = time.monotonic() + CONFIRM_WITHIN_S
        try:
            while confirmed.count < len(messages):
                end = min(len(messages), sent + self._options.window - len(on_the_way))
                if end > sent:
                    self._line.send(self._frame(number, messages[number]) for number in range(sent, end))
                    on_the_way.update(range(sent, end))
                    sent = end
                for number in _receipts(self._line.read(max(0.0, until - time.monotonic()))):
                    on_the_way.discard(number)
                    confirmed.add(number)
                    until = time.monotonic() + CONFIRM_WITHIN_S
                if time.monotonic() >= until:
                    raise SinkUnavailableError(f"{self._line.place}: no receipt for {CONFIRM_WITHIN_S} s")
        except SinkUnavailableError as err:
            err.delivered = confirmed.count
            raise

    def _frame(self, number: int, message: Departure) -> Frame:
        topic = message.topic
        headers: dict[str, object] = {
            **message.headers,
            "destination": topic if topic.startswith("/") else f"/topic/{topic}",
            "receipt": number,
            "persistent": "true",
            "content-type": "application/json",
            "amqp-message-id": message.id,
            "sent-at": message.sent_at.isoformat(),
        }
        if b"\0" in message.body:  # ActiveMQ takes what tells its length for bytes, not for a text
            headers["content-length"] = len(message.body)
        if self._options.ttl_s:
            headers["expires"] = round((time.time() + self._options.ttl_s) * 1000)
        return frame("SEND", headers, message.body)


def _receipts(frames: Sequence[Frame]) -> list[int]:
    return [int(each.headers["receipt-id"]) for each in frames if each.cmd == "RECEIPT"]
