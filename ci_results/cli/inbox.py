"""`ci-results inbox`: the waivers that wait for somebody."""

from __future__ import annotations

import click

from .context import Context, pass_context
from .output import next_command, plural, print_json, say
from .waiver_desk import open_desk, print_waivers


@click.command()
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def inbox(context: Context, limit: int, as_json: bool) -> None:
    """Show requests that wait, waivers that end within 48 hours, and those whose failure changed."""
    from ..operations.waive import inbox as look
    from ..waive.told import told

    desk = open_desk(context)
    found = look(desk, limit)
    parts = {"pending": found.pending, "expiring": found.expiring, "suspended": found.suspended}
    if as_json:
        print_json({name: [told(one, desk.standing(one)) for one in those] for name, those in parts.items()})
        return
    say(
        f"{plural(len(found.pending), 'request')} · {len(found.expiring)} expiring in 48 h"
        f" · {len(found.suspended)} suspended (failure changed)"
    )
    for name, those in parts.items():
        if those:
            click.secho(name, bold=True)
            print_waivers(desk, those)
    first = next((one for those in parts.values() for one in those), None)
    next_command("ci-results waiver list" if first is None else f"ci-results waiver show {first.name}")
