"""The transports `amqp:` and `amqps:`: RabbitMQ, with the wire format of fedora-messaging.

That is: JSON objects in UTF-8 on a topic exchange, the topic as routing key, and headers beside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import unquote, urlsplit

from ..errors import CiResultsError, ConfigError, SourceRefusedError, SourceUnavailableError
from ..plugin.token import Token
from ..plugin.transport import Inlet, Outlet, Transport

if TYPE_CHECKING:
    import pika

T = TypeVar("T")
QUEUE = "ci-results"


@dataclass(frozen=True, kw_only=True)
class AmqpOptions:
    """How to reach a RabbitMQ, and what to take from it.

    queue        that is read; made durable where it is not there
    topics       patterns that it is bound to: "org.centos.*.ci.#"; none = it is bound already
    exchange     of type topic, where messages are taken from and put
    declare      false = queue and bindings are an operator's business
    quorum       make the queue a quorum queue, which several brokers keep
    prefetch     messages that are handed over ahead; at least as many as are stored together
    window       messages that are sent ahead of their confirmation
    mandatory    a message that no queue wants is an error, and waits
    password_env, password_file  where the password of the URL's user is
    ca           file of certificates to trust; cert, key: our own, which then say who we are
    heartbeat_s  how soon a lost connection shows
    """

    queue: str = QUEUE
    topics: tuple[str, ...] = ()
    exchange: str = "amq.topic"
    declare: bool = True
    quorum: bool = False
    prefetch: int = 500
    window: int = 100
    mandatory: bool = False
    password_env: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    heartbeat_s: int = 60

    def __post_init__(self) -> None:
        for name in ("prefetch", "window"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key go together; name both")


class Amqp(Transport[AmqpOptions]):
    """RabbitMQ and what speaks AMQP 0.9.1 like it. What is sent is persistent and confirmed."""

    name: ClassVar[str] = "amqp"
    schemes: ClassVar[tuple[str, ...]] = ("amqp", "amqps")
    options: ClassVar[type[AmqpOptions]] = AmqpOptions

    def inlet(self, options: AmqpOptions, url: str) -> Inlet:
        """Connect, make the queue, bind it, and read. See Transport."""
        from .amqp_in import AmqpInlet

        return AmqpInlet(options, parameters(options, url, SourceRefusedError), shown_place(url))

    def outlet(self, options: AmqpOptions, url: str) -> Outlet:
        """Connect to send. See Transport."""
        from .amqp_out import AmqpOutlet

        return AmqpOutlet(options, parameters(options, url, ConfigError), shown_place(url))


def parameters(
    options: AmqpOptions, url: str, problem: type[CiResultsError] = ConfigError
) -> pika.ConnectionParameters:
    """Return where and as whom to connect. Raises ConfigError; `problem` where a file cannot be read."""
    try:
        import pika
    except ImportError as err:
        raise ConfigError(f"{url.partition(':')[0]}: needs pika: pip install 'ci-results[amqp]'") from err

    parts = urlsplit(url)
    try:
        port, host = parts.port, parts.hostname
    except ValueError as err:
        raise ConfigError(f"{shown_place(url)}: {err}") from err
    secret = Token(options.password_env, options.password_file).read()
    password = unquote(parts.password) if parts.password else secret
    credentials: Any = pika.PlainCredentials(unquote(parts.username or "guest"), password or "guest")
    if options.cert is not None and not parts.username:
        credentials = pika.credentials.ExternalCredentials()
    safe = parts.scheme.lower() == "amqps"
    return pika.ConnectionParameters(
        host=host or "127.0.0.1",
        port=port or (5671 if safe else 5672),
        virtual_host=unquote(parts.path.removeprefix("/")) or "/",
        credentials=credentials,
        ssl_options=_tls(options, host or "127.0.0.1", problem) if safe else None,
        heartbeat=options.heartbeat_s,
        blocked_connection_timeout=60,
        socket_timeout=10,
        stack_timeout=15,
        connection_attempts=1,
        client_properties={"product": "ci-results"},
    )


def _tls(options: AmqpOptions, host: str, problem: type[CiResultsError]) -> Any:
    import ssl

    import pika

    try:
        context = ssl.create_default_context(cafile=options.ca and str(options.ca))
        if options.cert is not None and options.key is not None:
            context.load_cert_chain(options.cert, options.key)
    except OSError as err:
        files = ", ".join(str(each) for each in (options.ca, options.cert, options.key) if each)
        raise problem(f"{files}: cannot be used as certificates: {err}") from err
    return pika.SSLOptions(context, host)


def shown_place(url: str) -> str:
    """Return host and port for messages: "bus.example:5672"."""
    return urlsplit(url).netloc.rpartition("@")[2] or "127.0.0.1"


def told(
    call: Callable[[], T],
    place: str,
    away: type[CiResultsError] = SourceUnavailableError,
    refused: type[CiResultsError] = SourceRefusedError,
) -> T:
    """Call, and turn what pika raises into an error of ours: `away` (retry) or `refused` (an operator)."""
    import pika.exceptions as problems

    try:
        return call()
    except (
        problems.ProbableAuthenticationError,
        problems.ProbableAccessDeniedError,
        problems.AuthenticationError,
    ) as err:
        raise refused(f"{place}: who we are does not let us in: {_said(err)}") from err
    except problems.ChannelClosedByBroker as err:
        if err.reply_code in (403, 404, 406):
            raise refused(f"{place}: {err.reply_code} {err.reply_text}") from err
        raise away(f"{place}: {err.reply_code} {err.reply_text}") from err
    except (problems.AMQPError, OSError) as err:
        raise away(f"{place}: {_said(err)}") from err


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


def _said(err: BaseException) -> str:
    """Say in a line what went wrong; pika hides the cause in what it raises."""
    texts: Sequence[str] = [str(err), *(str(each) for each in getattr(err, "exceptions", ()))]
    inner = next((text for text in texts if text), "")
    cause = err.__cause__ or (err.args[0] if err.args and isinstance(err.args[0], BaseException) else None)
    return inner or (str(cause) if cause else "") or "no broker answers there"
