"""`ci-results listen`: take messages from buses into the store."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .context import Context, pass_context
from .event import policies_or_none
from .harvest import stop_at_checkpoint
from .output import next_command, print_json, printable, say

if TYPE_CHECKING:
    from ..domain.bus_message import ListenerState
    from ..operations.events import EventDoor
    from ..operations.ingest import Taking
    from ..operations.listen import Ear
    from ..operations.messages_again import MessagesAgain
    from ..store.protocol import Store

BAD = ("away", "broken", "store")


@click.command()
@click.argument("buses", nargs=-1, metavar="[NAME|URL]...")
@click.option("--once", is_flag=True, help="Take what waits, then end.")
@click.option("--source", help="Whose results they are, of buses given as URLs; default: bus.")
@click.option("--parent", type=int, hidden=True, help="End when this process is gone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, at the end; how it fares goes to stderr.")
@pass_context
def listen(
    context: Context,
    buses: tuple[str, ...],
    once: bool,
    source: str | None,
    parent: int | None,
    as_json: bool,
) -> None:
    """Take messages from all buses of the configuration, or these, into the store, until Ctrl-C.

    A bus is a table [bus.NAME], or a URL: spool:FOLDER, amqp://HOST/VHOST?queue=NAME&topics=PATTERN,
    stomp://HOST?queue=NAME, kafka://HOST,HOST?topics=NAME. What messages say is stored before they are
    acknowledged, once; what cannot be read goes to the quarantine. A bus or a store that is away is waited
    for. It may be killed at any moment: nothing is lost, and nothing stored twice.

    Exit codes: 0 all was taken, 3 a bus could not be listened to.
    """
    from ..operations.listen import Surroundings
    from ..operations.listen import listen as run

    ears = [_ear(context, bus, source) for bus in buses or tuple(context.config.buses)]
    if not ears:
        raise click.UsageError("name a bus: spool:FOLDER, amqp://..., or a table [bus.NAME]")
    settings, store = context.config.listen, context.store()
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # it tells each fault three times; we tell it once
    with stop_at_checkpoint() as stop:

        def tell(state: ListenerState) -> None:
            if parent is not None and os.getppid() != parent:
                stop.set()
            say(told(state))

        around = Surroundings(
            store=store,
            plugins=context.plugins,
            door=_door(context, store),
            group=settings.group,
            linger_s=settings.linger_ms / 1000,
            once=once,
            stop=stop,
            tell=tell,
        )
        states = run(ears, around)
    if as_json:
        print_json(states)
    next_command("ci-results result list", "ci-results quarantine list")
    if any(state.state in BAD for state in states):
        click.get_current_context().exit(3)


def told(state: ListenerState) -> str:
    """Return a line for logs and people: bus=fedora state=listening received=38 ..."""
    text = (
        f"bus={state.name} state={state.state} received={state.received} stored={state.stored}"
        f" known={state.known} events={state.events} quarantined={state.quarantined} passed={state.passed}"
    )
    if state.backlog is not None:
        text += f" backlog={state.backlog}"
    if state.lag_s is not None:
        text += f" lag_s={state.lag_s}"
    return text if state.error is None else f"{text} error={printable(state.error)!r}"


def messages_again(context: Context, store: Store) -> MessagesAgain:
    """Return what reads messages of the quarantine again. Raises ConfigError."""
    from ..operations.messages_again import MessagesAgain

    return MessagesAgain(
        store=store,
        plugins=context.plugins,
        door=_door(context, store),
        takings={name: _taking(context, name) for name in context.config.buses},
        options=_options(context),
        vocabulary=context.config.outcomes,
    )


def _ear(context: Context, bus: str, source: str | None) -> Ear:
    """Return one bus to listen to. Raises ConfigError."""
    from ..bus.choosing import choose
    from ..errors import ConfigError, shown
    from ..operations.ingest import Ingest, Taking
    from ..operations.listen import Ear

    config = context.config
    if bus in config.buses:
        chosen = context.bus(bus)
        taking = _taking(context, bus)
    elif ":" in bus:
        chosen = choose(bus, context.plugins.transports, folder=Path(), where="bus")
        settings = config.listen
        taking = Taking(
            name=chosen.name,
            source=source or "bus",
            origin=settings.origin,
            keep_bytes=settings.keep_bytes,
            max_bytes=settings.max_bytes,
        )
    else:
        known, where = ", ".join(config.buses) or "none", config.path or "ci-results.toml"
        raise ConfigError(f"{where}: no bus {shown(bus)}; known are {known}; or give a URL: spool:FOLDER")
    ingest = Ingest(taking, context.plugins, _options(context), config.outcomes)
    return Ear(bus=chosen, taking=taking, ingest=ingest)


def _taking(context: Context, name: str) -> Taking:
    from ..operations.ingest import Taking

    core, settings = context.config.buses[name].core, context.config.listen
    return Taking(
        name=name,
        source=core.source,
        origin=settings.origin,
        announced=core.announced,
        unread=core.unread,
        keep_bytes=settings.keep_bytes,
        max_bytes=settings.max_bytes,
        ownership=context.config.owned_by_bus(name),
    )


def _options(context: Context) -> dict[str, Any]:
    from ..config_bus import reader_options

    config = context.config
    where = str(config.path or "ci-results.toml")
    return reader_options(config.messages, context.plugins.messages, config.folder, where)


def _door(context: Context, store: Store) -> EventDoor:
    from ..operations.events import EventDoor

    return EventDoor(store=store, policies=policies_or_none(context), rules=context.config.events)
