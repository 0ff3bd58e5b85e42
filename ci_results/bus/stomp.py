"""The transports `stomp:` and `stomps:`: ActiveMQ, as the UMB is one, and RabbitMQ with its STOMP plugin.

A virtual topic of ActiveMQ is read from a queue whose name says so: Consumer.ME.PROD.VirtualTopic.eng.ci.>
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from ..errors import CiResultsError, ConfigError, SinkUnavailableError, SourceRefusedError
from ..plugin.transport import Inlet, Outlet, Transport
from .access import Access, needs, place
from .several import each_broker, first_open

if TYPE_CHECKING:
    from .stomp_line import Dial

WEEK_S = 7 * 86_400


@dataclass(frozen=True, kw_only=True)
class StompOptions(Access):
    """How to reach a broker that speaks STOMP 1.2, and what to take from it.

    queue        that is read: "Consumer.ci-results.prod.VirtualTopic.eng.ci.>"; a name with "/" before it is
                 a destination as the broker knows it: "/amq/queue/ci"
    prefetch     messages that are handed over ahead; at least as many as are stored together
    window       messages that are sent ahead of their receipts
    ttl_s        how long ActiveMQ keeps what we send for those who read it late; 0 = as long as it likes
    heartbeat_s  how soon a lost connection shows; 0 = never
    The others are of Access.
    """

    queue: str = ""
    prefetch: int = 500
    window: int = 100
    ttl_s: int = WEEK_S
    heartbeat_s: int = 30

    at_least_one: ClassVar[tuple[str, ...]] = ("prefetch", "window")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("ttl_s", "heartbeat_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")


class Stomp(Transport[StompOptions]):
    """Brokers that speak STOMP 1.2. What is sent is persistent, and a receipt confirms each message."""

    name: ClassVar[str] = "stomp"
    schemes: ClassVar[tuple[str, ...]] = ("stomp", "stomps")
    options: ClassVar[type[StompOptions]] = StompOptions

    def ready(self, options: StompOptions, url: str) -> None:
        """See Transport."""
        for one in each_broker(url):
            _asked(options, dial(options, one))

    def inlet(self, options: StompOptions, url: str) -> Inlet:
        """Connect and subscribe. See Transport."""
        return first_open(url, partial(_inlet, options))

    def outlet(self, options: StompOptions, url: str) -> Outlet:
        """Connect to send. See Transport."""
        return first_open(url, partial(_outlet, options))

    @contextmanager
    def aside(self, options: StompOptions, url: str, topic: str) -> Iterator[tuple[Inlet, Outlet]]:
        """Subscribe to a topic that nobody else has, for as long as we are connected. See Transport."""
        mine = replace(options, queue=f"/topic/{topic}")
        with closing(self.inlet(mine, url)) as inlet, closing(self.outlet(options, url)) as outlet:
            yield inlet, outlet


def _inlet(options: StompOptions, url: str, several: bool) -> Inlet:
    where = dial(options, url, SourceRefusedError, several)
    _asked(options, where)
    from .stomp_in import StompInlet

    return StompInlet(options, where)


def _outlet(options: StompOptions, url: str, several: bool) -> Outlet:
    where = dial(options, url, SinkUnavailableError, several)
    from .stomp_out import StompOutlet

    return StompOutlet(options, where)


def _asked(options: StompOptions, where: Dial) -> None:
    """Refuse to listen to nothing. Raises ConfigError."""
    if not options.queue:
        raise ConfigError(
            f"{where.place}: queue: missing, without it nothing can be read;"
            ' write queue = "Consumer.CLIENT.NAME.VirtualTopic.eng.ci.>"'
        )


def dial(
    options: StompOptions, url: str, problem: type[CiResultsError] = ConfigError, several: bool = False
) -> Dial:
    """Return where and as whom to connect; one of `several` is not waited for as long.

    Raises ConfigError; `problem` where a file cannot be read.
    """
    try:
        from .stomp_line import OPEN_WITHIN_S, Dial
    except ImportError as err:
        raise needs(url, "stomp.py", "stomp") from err

    safe = url.lower().startswith("stomps:")
    user, password = options.account(url)
    return Dial(
        place=place(url, 61612 if safe else 61613),
        user=user,
        password=password,
        tls=options.context(partial(problem)) if safe else None,
        heartbeat_s=options.heartbeat_s,
        open_within_s=OPEN_WITHIN_S / 3 if several else OPEN_WITHIN_S,
    )
