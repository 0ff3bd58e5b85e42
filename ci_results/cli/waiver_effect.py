"""What a waiver would turn, on the command line: decisions without it, and with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from .context import Context
from .output import printable, word

if TYPE_CHECKING:
    from ..domain.waiver import Terms, Waiver
    from ..operations.waive import Desk

Foreseen = list[dict[str, Any]]


def foreseen(context: Context, desk: Desk, wanted: Terms | Waiver) -> Foreseen | None:
    """Return the decisions that a waiver is about; None where no policy is configured."""
    from ..operations.preview import effects, told
    from .gating import open_gate

    if not context.config.gate.policies:
        return None
    gate = replace(open_gate(context), store=desk.store, now=desk.now)
    return [told(each) for each in effects(gate, wanted)]


def print_effect(context: Context, desk: Desk, waiver: Waiver) -> None:
    """Print what a waiver turns, where policies are configured; what cannot be told hinders nothing."""
    from ..errors import CiResultsError

    if not context.config.gate.policies:
        return
    try:
        print_foreseen(foreseen(context, desk, waiver))
    except CiResultsError as err:
        click.echo(f"turns         unknown: {printable(str(err))}")


def print_foreseen(found: Foreseen | None) -> None:
    """Print each decision in a line, and what would block even so."""
    if found is None:
        click.echo("turns         unknown: no policy is configured ([gate] policies)")
        return
    if not found:
        click.echo("turns         no decision: no policy requires what it waives")
    for each in found:
        gate = printable(f"{each['decision_context']} of {each['product_version']}")
        arrow = f"{word(each['without'])} → {word(each['granted'])}"
        click.echo(f"{'turns' if each['turns'] else 'keeps':14}{gate}: {arrow}")
        for opening in each["still"]:
            click.echo(f"{'':14}  still needed: {printable(opening)}")
