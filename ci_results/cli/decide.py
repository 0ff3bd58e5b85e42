"""`ci-results decide`: may it go on?"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .context import Context, pass_context
from .exits import DONE, ERROR, NO, NO_POLICY, PARTLY
from .gating import open_gate
from .output import next_command, print_json, printable, say

if TYPE_CHECKING:
    from ..domain.decision import Decision, Requirement

DEFAULT_TYPE = "koji_build"
CODES = {"go": DONE, "no-go": NO, "wait": PARTLY, "error": ERROR, "no-policy": NO_POLICY}


@click.command()
@click.argument("subjects", metavar="SUBJECT...", nargs=-1, required=True)
@click.option("--product-version", required=True, help="E.g. fedora-40.")
@click.option(
    "--context", "contexts", metavar="NAME", multiple=True, required=True, help="The gate; may be repeated."
)
@click.option("--type", "--subject-type", "subject_type", default=DEFAULT_TYPE, show_default=True)
@click.option(
    "--purpose", "purposes", metavar="KIND:VALUE", multiple=True, help="What it is for; may be repeated."
)
@click.option(
    "--wait",
    "wait_s",
    metavar="SECONDS",
    type=click.FloatRange(0, 86_400),
    default=0,
    help="Ask again while it is `wait`, for so long.",
)
@click.option(
    "--tiers",
    "graph",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A graph, for rules about tiers.",
)
@click.option("--explain", is_flag=True, help="Show what passed, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def decide(
    context: Context,
    subjects: tuple[str, ...],
    product_version: str,
    contexts: tuple[str, ...],
    subject_type: str,
    purposes: tuple[str, ...],
    wait_s: float,
    graph: Path | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Say whether SUBJECT may pass a gate, by the policies that [gate] of the configuration names.

    Only what the store holds counts: no system that runs tests is asked, and verdicts of the Errata Tool
    that were imported are no evidence.

    Exit codes: 0 go, 1 no-go, 2 wait, 3 error, 4 no policy is for it, or for one of the gates.
    """
    from ..decide.text import tell
    from ..domain.asked import Request
    from ..domain.purpose import Purpose
    from ..operations.gating.waiting import decide_within
    from ..operations.tiers import read_graph
    from ..waive.purposes import check_purpose
    from ..wire import decision_json

    gate = open_gate(context)
    types = gate.policies.subject_types
    request = Request(
        subjects=tuple(types.subject(subject_type, each) for each in subjects),
        product_version=product_version,
        contexts=contexts,
        purposes=frozenset(check_purpose(Purpose.parse(each), context.plugins.purposes) for each in purposes),
        tiers=None if graph is None else read_graph(graph),
    )
    unknown = gate.policies.unknown_contexts(contexts)
    if unknown is not None and (not as_json or gate.policies.contexts & set(contexts)):
        click.echo(click.style("error: ", fg="red") + printable(unknown), err=True)
        next_command(f"ci-results policy explain --product-version {shlex.quote(product_version)}")
        click.get_current_context().exit(NO_POLICY)
    made = decide_within(gate, request, wait_s)
    if as_json:
        print_json(decision_json.decision(made))
    else:
        click.echo(tell(made, lambda each: waiver_command(made, each), verbose=explain), nl=False)
        _hint(context, made)
        _next(made, explain)
    click.get_current_context().exit(CODES[made.verdict])


def waiver_command(made: Decision, each: Requirement) -> str | None:
    """Return the command that waives a requirement; None while its run goes on."""
    from ..domain.decision import State

    if each.state is State.WAITING:
        return None
    words = [
        *("ci-results", "waiver", "request", each.subject.identifier, each.testcase),
        *("--product-version", made.request.product_version),
    ]
    scenario = each.scenario if each.result is None else each.result.scenario
    for option, value in (
        ("--type", each.subject.type if each.subject.type != DEFAULT_TYPE else None),
        ("--scenario", scenario),
        ("--arch", None if each.result is None else each.result.arch),
        ("--purpose", made.request.purpose),
    ):
        if value:
            words += [option, value]
    return f"{shlex.join(words)} --comment WHY"


def _hint(context: Context, made: Decision) -> None:
    """Name the product version that was meant, where no policy is for one that no table of products has."""
    from ..errors import InvalidError

    products = context.config.waive.products
    if made.verdict == "no-policy" and products is not None:
        try:
            products.check(made.request.product_version)
        except InvalidError as err:
            say(printable(str(err)))


def _next(made: Decision, explained: bool) -> None:
    asked = " ".join(
        ["--product-version", shlex.quote(made.request.product_version)]
        + [f"--context {shlex.quote(name)}" for name in made.request.contexts]
    )
    if made.verdict == "no-policy":
        next_command("ci-results policy explain " + asked)
    elif made.verdict != "go":
        item = shlex.quote(made.blockers[0].subject.identifier)
        more = () if explained else ("the same with --explain",)
        next_command(f"ci-results result list --item {item}", *more)
