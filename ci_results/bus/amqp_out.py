"""Messages out to RabbitMQ: persistent, a window of them ahead of their confirmations.

One at a time, each confirmation costs a sync of the broker's disk; a window of a hundred is 17 times as fast.
The connection lives on a thread of its own, so that it answers heartbeats while the store is asked.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import pika
from pika.adapters.select_connection import SelectConnection

from ..domain.carried import Departure
from ..errors import SinkRefusedError, SinkUnavailableError
from ..plugin.transport import Outlet
from .amqp import AmqpOptions, properties, told
from .confirmations import Confirmations

_MOST_TOPIC = 255
OPEN_WITHIN_S = 30
CONFIRM_WITHIN_S = 120
"""A broker that confirms nothing for so long is taken for gone."""

LOOK_EVERY_S = 0.5


class AmqpOutlet(Outlet):
    """One connection, one channel: what it sends stays in order."""

    def __init__(self, options: AmqpOptions, where: pika.ConnectionParameters, place: str) -> None:
        self._options, self._place = options, place
        self._lost: BaseException | None = None
        self._run: _Run | None = None
        self._opened: Future[None] = Future()
        self._channel: Any = None
        self._tags = itertools.count(1)
        self._connection = SelectConnection(
            where,
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._on_channel),
            on_open_error_callback=lambda _connection, err: self._end(err),
            on_close_callback=lambda _connection, err: self._end(err),
        )
        self._thread = threading.Thread(target=self._loop, name=f"amqp {place}", daemon=True)
        self._thread.start()
        try:
            self._told(lambda: self._opened.result(OPEN_WITHIN_S))
        except BaseException:
            self.close()
            raise

    def publish(self, messages: Sequence[Departure]) -> None:
        """Send and wait for all confirmations; see Outlet.

        Messages are asked for one by one on the connection's thread: what is made when it is asked for is
        made while the broker is busy with those before it.
        """
        self._send(messages)

    def close(self) -> None:
        """Close the connection and end its thread."""
        with suppress(Exception):
            self._connection.ioloop.add_callback_threadsafe(self._close)
            self._thread.join(5)

    def _send(self, messages: Sequence[Departure]) -> None:
        if not messages:
            return None
        run = _Run(messages, self._options, self._place)
        self._connection.ioloop.add_callback_threadsafe(lambda: self._start(run))
        confirmed, until = 0, time.monotonic() + CONFIRM_WITHIN_S
        while True:
            try:
                return run.done.result(LOOK_EVERY_S)
            except TimeoutError:
                if not self._thread.is_alive():  # it was lost while nothing was sent: nobody starts this run
                    run.fail(self._lost or ConnectionError("the connection is closed"))
                elif run.confirmed > confirmed:
                    confirmed, until = run.confirmed, time.monotonic() + CONFIRM_WITHIN_S
                elif time.monotonic() >= until:
                    self.close()
                    raise SinkUnavailableError(
                        f"{self._place}: confirms nothing for {CONFIRM_WITHIN_S} s", run.confirmed
                    ) from None

    # -- on the connection's thread ----------------------------------------------------------------

    def _loop(self) -> None:
        try:
            self._connection.ioloop.start()
        except Exception as err:  # noqa: BLE001 (top of a worker: whoever waits is told)
            self._end(err)
        with suppress(Exception):
            self._connection.ioloop.close()

    def _on_channel(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(lambda _channel, err: self._end(err))
        channel.add_on_return_callback(lambda _channel, _method, given, _body: self._returned(given))
        channel.confirm_delivery(self._confirmed, callback=lambda _frame: self._opened.set_result(None))

    def _start(self, run: _Run) -> None:
        if self._lost is not None:
            run.fail(self._lost)
            return
        self._run = run
        run.fill(self._channel, self._tags)
        run.finish()

    def _confirmed(self, frame: Any) -> None:
        if self._run is not None:
            said = frame.method
            self._run.confirm(said.delivery_tag, said.multiple, said.NAME == "Basic.Ack")
            self._run.fill(self._channel, self._tags)
            self._run.finish()

    def _returned(self, given: Any) -> None:
        if self._run is not None:
            self._run.unwanted.add(given.message_id)

    def _end(self, err: BaseException) -> None:
        """Tell whoever waits that the connection is gone."""
        self._lost = self._lost or err
        if not self._opened.done():
            self._opened.set_exception(err)
        if self._run is not None:
            self._run.fail(err)
        self._close()

    def _close(self) -> None:
        """Close the connection, and end the loop when it is closed: this is called again then."""
        with suppress(Exception):
            if self._connection.is_open:
                self._connection.close()
            elif self._connection.is_closed:  # its own last steps come before the end
                self._connection.ioloop.call_later(0, self._connection.ioloop.stop)

    def _told(self, call: Any) -> None:
        try:
            told(call, self._place, SinkUnavailableError, SinkRefusedError)
        except SinkRefusedError as err:
            raise SinkUnavailableError(str(err)) from err  # nothing that a message is at fault for


class _Run:
    """One call of `publish`, on the connection's thread but for `done`.

    sent   how many are on their way or through; the number of the next one
    wrong  why the next one is not sent: it never goes, or could not be made
    """

    def __init__(self, messages: Sequence[Departure], options: AmqpOptions, place: str) -> None:
        self._messages, self._options, self._place = messages, options, place
        self._numbers: dict[int, int] = {}
        self._confirmations = Confirmations()
        self._first_bad: int | None = None
        self.sent = 0
        self.wrong: Exception | None = None
        self.unwanted: set[str] = set()
        self.done: Future[None] = Future()

    @property
    def confirmed(self) -> int:
        """How many from the first on the broker has."""
        return self._confirmations.count

    def fill(self, channel: Any, tags: Iterator[int]) -> None:
        """Send until the window is full; `tags` are what the broker calls messages in its confirmations."""
        while (
            self.sent < len(self._messages)
            and len(self._numbers) < self._options.window
            and self._first_bad is None
            and self.wrong is None
        ):
            try:
                each = self._messages[self.sent]
                if not each.topic or len(each.topic.encode()) > _MOST_TOPIC:
                    told = f"topic is empty or longer than 255 bytes: {each.topic[:80]}"
                    raise SinkRefusedError(told, self.sent)
                headers = properties(each.headers, each.id, each.sent_at.isoformat(timespec="seconds"))
            except Exception as err:  # noqa: BLE001 (whoever waits for the run is told)
                self.wrong = err
                return
            channel.basic_publish(
                self._options.exchange, each.topic, each.body, headers, mandatory=self._options.mandatory
            )
            self._numbers[next(tags)] = self.sent
            self.sent += 1

    def confirm(self, tag: int, multiple: bool, good: bool) -> None:
        """Note what the broker says of one message, or of all up to it."""
        tags = [each for each in self._numbers if each <= tag] if multiple else [tag]
        for each in tags:
            number = self._numbers.pop(each, None)
            if number is None:
                continue
            if good and self._messages[number].id not in self.unwanted:
                self._confirmations.add(number)
            else:
                self._first_bad = min(number, number if self._first_bad is None else self._first_bad)

    def fail(self, err: BaseException) -> None:
        """End with what the connection ended with."""
        if not self.done.done():
            self.done.set_exception(SinkUnavailableError(f"{self._place}: {err}", self._delivered()))

    def finish(self) -> None:
        """End where nothing is on its way any more."""
        if self._numbers or self.done.done():
            return
        if self.confirmed == len(self._messages):
            self.done.set_result(None)
            return
        if self.wrong is not None and self.confirmed == self.sent:
            self.done.set_exception(self.wrong)
            return
        wanted = self._messages[self.confirmed].id not in self.unwanted
        said = "the broker did not take a message" if wanted else "no queue wants a message"
        self.done.set_exception(SinkUnavailableError(f"{self._place}: {said}", self._delivered()))

    def _delivered(self) -> int:
        return min(self.confirmed, len(self._messages) - 1)
