"""The transports `kafka:` and `kafkas:`: topics of Kafka, read by a group of consumers."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from ..errors import CiResultsError, ConfigError, SinkUnavailableError, SourceRefusedError, shown
from ..plugin.transport import Inlet, Outlet, Transport
from .access import Access, needs, shown_place

T = TypeVar("T")
OPEN_WITHIN_S = 15
_LOOK_EVERY_S = 2.0
"""How often it is asked, while nobody answers, whether somebody said no: librdkafka itself goes on trying."""

_SILENT = "no broker answers there; where they speak TLS write kafkas:, where they want an account USER@HOST"
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_SERVER = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]@/\s]+)(:\d{1,5})?")


@dataclass(frozen=True, kw_only=True)
class KafkaOptions(Access):
    """How to reach a cluster, and what to take from it.

    topics     that are read: "org.centos.prod.ci.koji-build.test.complete"; one that begins with "^" is a
               regular expression
    group      of consumers, which share the topics: each message goes to one of them
    sasl       how the URL's user is shown to be who they are
    session_s  a listener that says nothing for so long is given up, and another of its group goes on
    The others are of Access.
    """

    topics: tuple[str, ...] = ()
    group: str = "ci-results"
    sasl: str = "PLAIN"
    session_s: int = 45

    at_least_one: ClassVar[tuple[str, ...]] = ("session_s",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sasl not in _MECHANISMS:
            raise ValueError(f"sasl must be one of {', '.join(_MECHANISMS)}, got {shown(self.sasl)}")
        if not self.group:
            raise ValueError("group is empty: who reads together has a name")


class Kafka(Transport[KafkaOptions]):
    """Kafka, and what speaks like it. What is sent is on all replicas that are in sync, once and in order.

    Order holds for messages about one subject, which is their key.
    """

    name: ClassVar[str] = "kafka"
    schemes: ClassVar[tuple[str, ...]] = ("kafka", "kafkas")
    options: ClassVar[type[KafkaOptions]] = KafkaOptions

    def ready(self, options: KafkaOptions, url: str) -> None:
        """See Transport."""
        settings(options, url)
        _asked(options, url)

    def inlet(self, options: KafkaOptions, url: str) -> Inlet:
        """Join the group. See Transport."""
        found = settings(options, url, SourceRefusedError)
        _asked(options, url)
        from .kafka_in import KafkaInlet

        return KafkaInlet(options, found, shown_place(url))

    def outlet(self, options: KafkaOptions, url: str) -> Outlet:
        """Connect to send. See Transport."""
        found = settings(options, url, SinkUnavailableError)
        from .kafka_out import KafkaOutlet

        return KafkaOutlet(found, shown_place(url))


def _asked(options: KafkaOptions, url: str) -> None:
    """Refuse to listen to nothing. Raises ConfigError."""
    if not options.topics:
        raise ConfigError(
            f"{shown_place(url)}: topics: missing, without one nothing can be read;"
            ' write topics = ["org.example.ci.complete"]'
        )


def settings(options: KafkaOptions, url: str, problem: type[CiResultsError] = ConfigError) -> dict[str, Any]:
    """Return what librdkafka is told of a cluster and of us.

    Raises ConfigError; `problem` where a file cannot be read.
    """
    try:
        import confluent_kafka  # noqa: F401
    except ImportError as err:
        raise needs(url, "confluent-kafka", "kafka") from err

    safe = url.lower().startswith("kafkas:")
    user, password = options.account(url)
    found: dict[str, Any] = {
        "bootstrap.servers": ",".join(_servers(url, 9093 if safe else 9092)),
        "client.id": "ci-results",
        "security.protocol": ("SASL_" if user else "") + ("SSL" if safe else "PLAINTEXT"),
        "logger": logging.getLogger(__name__),
        "log_level": 2,  # what is not critical is told by Faults, once
    }
    if user:
        found |= {"sasl.mechanism": options.sasl, "sasl.username": user, "sasl.password": password or ""}
    if safe:
        options.context(partial(problem))  # says more of a file that cannot be used
        files = {"ca": options.ca, "certificate": options.cert, "key": options.key}
        found |= {f"ssl.{name}.location": str(file) for name, file in files.items() if file is not None}
    return found


def _servers(url: str, port: int) -> list[str]:
    """Return "host:port" of each broker that a URL names, several with commas between. Raises ConfigError."""
    parts = urlsplit(url)
    if parts.path.strip("/"):
        raise ConfigError(
            f"{shown_place(url)}: a path means nothing to Kafka: {shown(parts.path)};"
            " name what is read with ?topics=..."
        )
    found = []
    for server in shown_place(url).split(","):
        named = _SERVER.fullmatch(server)
        if named is None:
            raise ConfigError(
                f"{shown_place(url)}: no host and port: {shown(server)}; write HOST:9092,HOST:9092"
            )
        found.append(server if named[2] else f"{server}:{port}")
    return found


class Faults:
    """What librdkafka tells beside, of connections: why they are lost, and that none is left.

    gone     nobody is connected
    refusal  why a broker was not trusted, or we were not; "" where nobody said no
    """

    def __init__(self) -> None:
        self._why = ""
        self.gone, self.refusal = False, ""

    def note(self, err: Any) -> None:
        """Take one; it is the callback `error_cb`."""
        from confluent_kafka import KafkaError

        if err.code() == KafkaError._ALL_BROKERS_DOWN or err.fatal():
            self.gone = True
        if err.code() != KafkaError._ALL_BROKERS_DOWN:
            self._why = err.str()
        if err.code() == KafkaError._AUTHENTICATION:
            self.refusal = f"who we are does not let us in: {err.str()}"
        elif err.code() == KafkaError._SSL and "certificate verify failed" in err.str():
            self.refusal = f"its certificate is not trusted; name who signed it: ca = FILE; {err.str()}"

    def forget(self) -> None:
        """Forget what failed before somebody answered."""
        self.gone, self.refusal = False, ""

    def answered(
        self,
        ask: Callable[[float], T],
        within_s: float,
        place: str,
        away: type[CiResultsError],
        refused: type[CiResultsError],
        client: Any,
    ) -> T:
        """Ask a cluster what it answers at all, for so long; who is refused does not wait till then.

        ask     is told how long to wait; see `told` for the others
        """
        from confluent_kafka import KafkaException

        until = time.monotonic() + within_s
        while True:
            left = until - time.monotonic()
            try:
                return ask(min(left, _LOOK_EVERY_S))
            except KafkaException as err:
                client.poll(0)
                if self.refusal or left <= _LOOK_EVERY_S or not _nobody(err.args[0]):
                    raise self.error(err.args[0], place, away, refused) from err

    def told(
        self,
        call: Callable[[], T],
        place: str,
        away: type[CiResultsError],
        refused: type[CiResultsError],
    ) -> T:
        """Call, and turn what librdkafka raises into an error of ours: `away` (retry) or `refused`."""
        from confluent_kafka import KafkaException

        try:
            return call()
        except KafkaException as err:
            raise self.error(err.args[0], place, away, refused) from err

    def error(
        self, err: Any, place: str, away: type[CiResultsError], refused: type[CiResultsError]
    ) -> CiResultsError:
        """Return what to raise for an error of librdkafka."""
        from confluent_kafka import KafkaError

        operators = (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            KafkaError.GROUP_AUTHORIZATION_FAILED,
            KafkaError.UNKNOWN_TOPIC_OR_PART,
            KafkaError._AUTHENTICATION,
            KafkaError.SASL_AUTHENTICATION_FAILED,
        )
        nobody = _nobody(err)
        kind = refused if err.code() in operators or (nobody and self.refusal) else away
        return kind(f"{place}: {(self.refusal or self._why or _SILENT) if nobody else err.str()}"[:300])


def _nobody(err: Any) -> bool:
    """Say whether it says no more than that nobody answers."""
    from confluent_kafka import KafkaError

    return err.code() in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN)
