"""The transports `amqp:` and `amqps:`: RabbitMQ, with the wire format of fedora-messaging.

That is: JSON objects in UTF-8 on a topic exchange, the topic as routing key, and headers beside.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..errors import CiResultsError, ConfigError, SourceRefusedError, SourceUnavailableError
from ..plugin.transport import Inlet, Outlet, Transport
from .access import Access, distrust, needs, place, shown_place
from .several import each_broker, first_open

if TYPE_CHECKING:
    import pika

T = TypeVar("T")
QUEUE = "ci-results"


@dataclass(frozen=True, kw_only=True)
class AmqpOptions(Access):
    """How to reach a RabbitMQ, and what to take from it.

    queue        that is read; made durable where it is not there
    topics       patterns that it is bound to: "org.centos.*.ci.#"; none = it is bound already
    exchange     of type topic, where messages are taken from and put
    declare      false = queue and bindings are an operator's business
    quorum       make the queue a quorum queue, which several brokers keep
    prefetch     messages that are handed over ahead; at least as many as are stored together
    window       messages that are sent ahead of their confirmation
    mandatory    a message that no queue wants is an error, and waits
    heartbeat_s  how soon a lost connection shows
    The others are of Access.
    """

    queue: str = QUEUE
    topics: tuple[str, ...] = ()
    exchange: str = "amq.topic"
    declare: bool = True
    quorum: bool = False
    prefetch: int = 500
    window: int = 500
    mandatory: bool = False
    heartbeat_s: int = 60

    at_least_one: ClassVar[tuple[str, ...]] = ("prefetch", "window")


class Amqp(Transport[AmqpOptions]):
    """RabbitMQ and what speaks AMQP 0.9.1 like it. What is sent is persistent and confirmed."""

    name: ClassVar[str] = "amqp"
    schemes: ClassVar[tuple[str, ...]] = ("amqp", "amqps")
    options: ClassVar[type[AmqpOptions]] = AmqpOptions

    def ready(self, options: AmqpOptions, url: str) -> None:
        """See Transport."""
        for one in each_broker(url):
            parameters(options, one)

    def inlet(self, options: AmqpOptions, url: str) -> Inlet:
        """Connect, make the queue, bind it, and read. See Transport."""
        return first_open(url, partial(_inlet, options))

    def outlet(self, options: AmqpOptions, url: str) -> Outlet:
        """Connect to send. See Transport."""
        return first_open(url, partial(_outlet, options))

    def aside(
        self, options: AmqpOptions, url: str, topic: str
    ) -> AbstractContextManager[tuple[Inlet, Outlet]]:
        """Open a place of its own. See Transport."""
        self.ready(options, url)  # says what is missing
        from .amqp_aside import aside

        return aside(options, url, topic)


def _inlet(options: AmqpOptions, url: str, several: bool) -> Inlet:
    where = parameters(options, url, SourceRefusedError, several)
    from .amqp_in import AmqpInlet

    return AmqpInlet(options, where, shown_place(url))


def _outlet(options: AmqpOptions, url: str, several: bool) -> Outlet:
    where = parameters(options, url, ConfigError, several)
    from .amqp_out import AmqpOutlet

    return AmqpOutlet(options, where, shown_place(url))


def parameters(
    options: AmqpOptions, url: str, problem: type[CiResultsError] = ConfigError, several: bool = False
) -> pika.ConnectionParameters:
    """Return where and as whom to connect; one of `several` is not waited for as long.

    Raises ConfigError; `problem` where a file cannot be read.
    """
    try:
        import pika
    except ImportError as err:
        raise needs(url, "pika", "amqp") from err

    safe = url.lower().startswith("amqps:")
    there = place(url, 5671 if safe else 5672)
    user, password = options.account(url)
    credentials: Any = pika.PlainCredentials(user or "guest", password or "guest")
    if options.cert is not None and not user:
        credentials = pika.credentials.ExternalCredentials()
    return pika.ConnectionParameters(
        host=there.host,
        port=there.port,
        virtual_host=there.virtual_host,
        credentials=credentials,
        ssl_options=pika.SSLOptions(options.context(problem), there.host) if safe else None,
        heartbeat=options.heartbeat_s,
        blocked_connection_timeout=60,
        socket_timeout=5 if several else 10,
        stack_timeout=8 if several else 15,
        connection_attempts=1,
        client_properties={"product": "ci-results"},
    )


def told(
    call: Callable[[], T],
    place: str,
    away: type[CiResultsError] = SourceUnavailableError,
    refused: type[CiResultsError] = SourceRefusedError,
) -> T:
    """Call, and turn what pika raises into an error of ours: `away` (retry) or `refused` (an operator)."""
    import pika.exceptions as problems
    from pika.adapters.utils.connection_workflow import AMQPConnectorException

    try:
        return call()
    except (
        problems.ProbableAuthenticationError,
        problems.ProbableAccessDeniedError,
        problems.AuthenticationError,
    ) as err:
        raise refused(f"{place}: who we are does not let us in: {_first_cause(err)}") from err
    except problems.ChannelClosedByBroker as err:
        if err.reply_code in (403, 404, 406):
            raise refused(f"{place}: {err.reply_code} {err.reply_text}") from err
        raise away(f"{place}: {err.reply_code} {err.reply_text}") from err
    except (problems.AMQPError, AMQPConnectorException, OSError) as err:
        cause = _first_cause(err)
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise refused(f"{place}: {distrust(cause)}") from err
        raise away(f"{place}: {str(cause) or 'no broker answers there'}") from err


def properties(headers: Mapping[str, str], message_id: str, sent_at: str) -> pika.BasicProperties:
    """Return the properties of a message as fedora-messaging's readers want them; it is persistent."""
    import pika

    return pika.BasicProperties(
        content_type="application/json",
        content_encoding="utf-8",
        delivery_mode=2,
        message_id=message_id,
        priority=0,
        headers={
            "fedora_messaging_schema": "base.message",
            "fedora_messaging_severity": 20,
            "priority": 0,
            "sent-at": sent_at,
            **headers,
        },
    )


def closed(connection: Any) -> None:
    """Close a connection, whatever state it is in."""
    with suppress(Exception):
        if connection.is_open:
            connection.close()


def _first_cause(err: BaseException) -> BaseException:
    """Return what went wrong at the bottom; pika wraps it up to three times."""
    while True:
        inner = [getattr(err, "exception", None), *getattr(err, "exceptions", ())[-1:], *err.args[:1]]
        found = next((each for each in inner if isinstance(each, BaseException)), None)
        if found is None:
            return err
        err = found
