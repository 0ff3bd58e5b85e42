"""Canaries: ask each source, and send each bus a message that comes back. What `doctor --canary` adds."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from statistics import median
from typing import TYPE_CHECKING, Any

import orjson

from ..bus.choosing import Chosen
from ..collect.session import connect
from ..collect.source import Source
from ..domain.carried import Departure
from ..errors import CiResultsError, SinkRefusedError, SourceRefusedError
from ..messages.echo import ORIGIN
from ..plugin.transport import Inlet, Outlet
from .check import check_sources
from .doctor import Finding, Health

if TYPE_CHECKING:
    from ..plugin.http import SourceSession

WAIT_S = 10.0
"""How long a message may take there and back."""

SKEW = timedelta(seconds=60)
"""How far a clock may be off; a header `Date` tells whole seconds, and an answer takes a while."""

AT_ONCE = 8


def ask_sources(
    sources: Sequence[Source], connect: Callable[[Source], SourceSession] = connect
) -> Iterator[Finding]:
    """Ask each source what a harvest would meet, and how late it is there; several at once."""
    skews: dict[str, timedelta] = {}

    def ask(source: Source) -> Finding:
        seen: list[timedelta] = []
        (answer,) = check_sources([source], lambda one: _watched(connect(one), seen))
        if seen:
            skews[source.name] = min(seen, key=abs)
        about = f"canary of {source.name}"
        if answer.ok:
            return Finding(about=about, health=Health.GOOD, says=f"answers: {answer.lines[0]}")
        advice = f"ci-results source check {source.name}"
        return Finding(about=about, health=Health.BAD, says=answer.lines[-1], advice=advice)

    if sources:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="canary") as pool:
            yield from pool.map(ask, sources)
    yield from examine_clocks(skews)


def examine_clocks(skews: Mapping[str, timedelta]) -> Iterator[Finding]:
    """Say whose clock is off; `skews`: by source, how far it is ahead of ours.

    Where most of three or more are off to the same side, it is ours that is.
    """
    wrong = {name: ahead for name, ahead in skews.items() if abs(ahead) > SKEW}
    ours = timedelta(seconds=median(each.total_seconds() for each in skews.values())) if skews else None
    if ours is not None and len(skews) > 2 and abs(ours) > SKEW:
        says = f"this machine's is {_off(-ours)}, say most of {len(skews)} sources"
        yield Finding(about="clock", health=Health.BAD, says=says, advice="timedatectl set-ntp true")
    elif wrong:
        for name, ahead in wrong.items():
            says = f"that of {name} is {_off(ahead)} of ours; results of the future count as of their receipt"
            yield Finding(about="clock", health=Health.WARNING, says=says, advice="timedatectl status")
    elif skews:
        yield Finding(about="clock", health=Health.GOOD, says=f"agrees with {len(skews)} of the sources")


def send_canaries(
    buses: Mapping[str, Chosen], *, origin: str | None = None, wait_s: float = WAIT_S
) -> Iterator[Finding]:
    """Send each bus, by name, a marked message to a place of its own, and see it come back.

    origin  how we are called in what we send: nobody of ours who listens takes it for news
    """
    for name, bus in buses.items():
        about, advice = f"canary of bus {name}", f"ci-results listen {name} --once"
        try:
            health, says = _sent(bus, origin or "doctor", wait_s)
        except (SourceRefusedError, SinkRefusedError) as err:
            health, says = Health.WARNING, f"takes no message of ours, or gives us no queue: {err}"
        except CiResultsError as err:
            health, says = Health.BAD, str(err)
        yield Finding(about=about, health=health, says=says, advice=None if health is Health.GOOD else advice)


def _sent(bus: Chosen, origin: str, wait_s: float) -> tuple[Health, str]:
    """Send a message there and back, and say how that went. Raises what `send_canaries` tells."""
    mark = f"ci-results.canary.{uuid.uuid4().hex}"
    place = bus.transport.aside(bus.options, bus.url, mark)
    if place is None:
        told = ", ".join(bus.transport.check(bus.options, bus.url))
        return Health.GOOD, f"{told}; on this kind of bus none can be sent there and back"
    with place as (inlet, outlet):
        took_s = there_and_back(inlet, outlet, mark, origin, wait_s)
    if took_s is None:
        return Health.BAD, f"a message was taken, and did not come back within {wait_s:g} s"
    return Health.GOOD, f"there and back in {took_s * 1000:.0f} ms"


def there_and_back(inlet: Inlet, outlet: Outlet, mark: str, origin: str, wait_s: float) -> float | None:
    """Send a message under topic `mark`, and return after how many seconds it came, None = it did not."""
    message = Departure(
        topic=mark,
        body=orjson.dumps({"canary": mark}),
        id=mark,
        sent_at=datetime.now(UTC),
        headers={ORIGIN: origin},
        about=mark,
    )
    began = time.monotonic()
    outlet.publish([message])
    while (left := began + wait_s - time.monotonic()) > 0:
        arrivals = inlet.receive(10, min(left, 1.0), 0)
        inlet.ack(arrivals)
        if any(mark.encode() in each.raw for each in arrivals):
            return time.monotonic() - began
    return None


def _watched(session: SourceSession, seen: list[timedelta]) -> SourceSession:
    """Note what each answer's header `Date` says, against our clock."""

    def look(response: Any, *_: Any, **__: Any) -> None:
        try:
            there = parsedate_to_datetime(response.headers.get("Date", ""))
        except (TypeError, ValueError):
            return
        if there.tzinfo is not None:
            seen.append(there - datetime.now(UTC) + timedelta(seconds=0.5))

    session.hooks["response"].append(look)
    return session


def _off(ahead: timedelta) -> str:
    """Say how far: "40 min ahead"."""
    seconds = abs(ahead.total_seconds())
    size = f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
    return f"{size} {'ahead' if ahead > timedelta() else 'behind'}"
