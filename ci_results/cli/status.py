"""`ci-results status`: how everything fares, once or live."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from .context import Context, pass_context
from .output import COLOURS, ago, next_command, plural, print_json, print_table, printable, say

if TYPE_CHECKING:
    from rich.console import Group

    from ..operations.status import Status
    from ..store.protocol import Store

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Heads, then rows, all as long."""


@click.command()
@click.option("--watch", is_flag=True, help="Draw it anew until Ctrl-C.")
@click.option(
    "--every",
    "every_s",
    metavar="SECONDS",
    type=click.FloatRange(0.2, 3_600),
    default=2.0,
    show_default=True,
    help="How often, with --watch.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, once.")
@pass_context
def status(context: Context, watch: bool, every_s: float, as_json: bool) -> None:
    """Show how sources, buses, sinks, the quarantine and decisions fare.

    It asks the store alone, whoever fills it and wherever they run. What is wrong and what to type, says
    `ci-results doctor`.
    """
    store = context.store(must_exist=True)
    if as_json:
        print_json(_look(context, store))
    elif watch:
        _watch(context, store, every_s)
    else:
        found = _look(context, store)
        for heads, rows in tables(found):
            if rows:
                print_table(heads, rows)
                click.echo()
        click.echo(summed(found))
        next_command("ci-results doctor", "ci-results status --watch")


def tables(status: Status) -> list[Table]:
    """Return what is shown: sources, buses, sinks, quarantine; one without rows has nothing to show."""
    now = status.at
    return [
        (
            ("source", "state", "last good", "results", "quarantined", "error"),
            [
                (
                    one.name, one.state, _since(one.last_ok, now), f"{one.results}", f"{one.quarantined}",
                    _cut(one.last_error),
                )
                for one in status.sources
            ],
        ),
        (
            ("bus", "state", "listeners", "backlog", "lag", "told", "error"),
            [
                (
                    one.name, one.state, f"{one.listeners}", _maybe(one.backlog),
                    "" if one.lag_s is None else f"{one.lag_s:.1f} s", _since(one.told_at, now),
                    _cut(one.error),
                )
                for one in status.buses
            ],
        ),
        (
            ("sink", "state", "waiting", "since", "parked", "error"),
            [
                (
                    one.name, one.state, f"{one.waiting}",
                    "" if one.oldest is None else _since(one.oldest, now),
                    f"{one.parked}", _cut(one.last_error),
                )
                for one in status.sinks
            ],
        ),
        (
            ("quarantine of", "door", "records"),
            [(one.source, one.door, f"{one.records}") for one in status.quarantine],
        ),
    ]  # fmt: skip


def summed(status: Status) -> str:
    """Return the line under the tables: "120 results; decisions: 3 go, 1 wait, 0 commits to look at"."""
    verdicts, waiting = status.decisions.verdicts, status.decisions.waiting
    decided = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())) or "none"
    line = f"{plural(status.results, 'result')}; decisions: {decided}"
    if waiting is None:
        return f"{line}; nobody follows"
    since = "" if status.decisions.oldest is None else f" since {_since(status.decisions.oldest, status.at)}"
    return f"{line}; {plural(waiting, 'commit')} to look at{since}"


def drawn(status: Status) -> Group:
    """Return the same for a terminal that is drawn anew. Texts are never markup: they may quote a server."""
    from rich.console import Group
    from rich.table import Table as Drawn
    from rich.text import Text

    parts: list[Any] = [Text(f"{status.at:%Y-%m-%dT%H:%M:%SZ}  Ctrl-C ends", style="dim")]
    for heads, rows in tables(status):
        if rows:
            table = Drawn(*heads, box=None, header_style="bold", pad_edge=False)
            for row in rows:
                table.add_row(*(Text(printable(cell), style=COLOURS.get(cell, "")) for cell in row))
            parts += [table, Text("")]
    return Group(*parts, Text(summed(status)))


def _watch(context: Context, store: Store, every_s: float) -> None:
    from rich.live import Live
    from rich.text import Text

    from ..errors import StoreError

    try:
        with Live(auto_refresh=False, screen=False) as live:
            while True:
                try:
                    live.update(drawn(_look(context, store)), refresh=True)
                except StoreError as err:
                    live.update(Text(f"the store is away: {printable(str(err))}", style="red"), refresh=True)
                time.sleep(every_s)
    except KeyboardInterrupt:
        say("")
        next_command("ci-results doctor")


def _look(context: Context, store: Store) -> Status:
    from ..operations.status import status as look

    config = context.config
    names: Sequence[str] = tuple(config.sources)
    return look(store, sources=names, buses=tuple(config.buses), sinks=tuple(config.sinks))


def _since(moment: datetime | None, now: datetime) -> str:
    return "never" if moment is None else ago(now - moment)


def _maybe(count: int | None) -> str:
    return "" if count is None else f"{count}"


def _cut(error: str | None) -> str:
    return (error or "")[:200]
