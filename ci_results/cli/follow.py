"""`ci-results follow`: record decisions that change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .context import Context, pass_context
from .gating import following_gate
from .harvest import stop_at_checkpoint
from .output import next_command, plural, print_json, say

if TYPE_CHECKING:
    from ..operations.follow import Followed
    from ..operations.gate import Gate


@click.command()
@click.option("--once", is_flag=True, help="Record what has changed by now, then end.")
@click.option(
    "--every",
    "every_s",
    metavar="SECONDS",
    type=click.FloatRange(0.05, 3_600),
    default=1.0,
    show_default=True,
    help="How often to look while nothing comes.",
)
@click.option(
    "--from-now", is_flag=True, help="The first time: leave alone what is stored already; default: all of it."
)
@click.option("--parent", type=int, hidden=True, help="End when this process is gone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def follow(
    context: Context, once: bool, every_s: float, from_now: bool, parent: int | None, as_json: bool
) -> None:
    """Record each decision that changes, and announce it to the sinks, until Ctrl-C.

    Judged is what new results, waivers, events and plans concern, what a waiver's end or a due time may
    change, and what is not open when policies change. One follower of a store works at a time; others
    wait for their turn. It may be killed at any moment: nothing is lost, and nothing is told twice.
    """
    import os

    from ..operations.follow import Following, follow_once
    from ..operations.follow import follow as run

    gate_of = following_gate(context)
    with stop_at_checkpoint() as stop:

        def gate() -> Gate:
            if parent is not None and os.getppid() != parent:
                stop.set()
            return gate_of()

        around = Following(gate=gate, at_end=from_now, stop=stop, tell=lambda done: _tell(done, as_json))
        done = follow_once(around) if once else run(around, every_s)
    if as_json:
        print_json(done)
    elif once:
        say(_summed(done))
        next_command("ci-results deliver", "ci-results decide SUBJECT")


def _tell(done: Followed, quiet: bool) -> None:
    if done.recorded and not quiet:
        say(f"{plural(done.recorded, 'decision')} recorded")


def _summed(done: Followed) -> str:
    more = f", {done.postponed} to be looked at again" if done.postponed else ""
    ended = f", {plural(done.ended, 'waiver')} ended" if done.ended else ""
    return (
        f"{plural(done.facts, 'fact')} looked at, {plural(done.judged, 'gate')} judged,"
        f" {plural(done.recorded, 'decision')} recorded{ended}{more}"
    )
