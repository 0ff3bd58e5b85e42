"""`ci-results tiers`: builds that have an order, and what of them is to be done next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .context import Context, pass_context
from .exits import DONE, NO, PARTLY
from .gating import open_gate
from .output import next_command, plural, print_json, print_table, say

if TYPE_CHECKING:
    from ..decide.tier_plan import Step


@click.group()
def tiers() -> None:
    """Plan rebuilds in tiers: first be sure of what others are built on."""


@tiers.command("plan")
@click.argument("parts", metavar="[PART]...", nargs=-1)
@click.option("--graph", required=True, type=click.Path(path_type=Path), metavar="FILE",
              help="YAML or JSON: {PART: {tier: 1, needs: [PART], build: NVR}}.")  # fmt: skip
@click.option("--changed", metavar="PART", multiple=True, help="Plan what its change makes necessary.")
@click.option("--scope", type=click.Choice(["closure", "tier"]), default="closure", show_default=True,
              help="What has to be good before: what a part needs, or the whole tier before.")  # fmt: skip
@click.option("--context", "good", metavar="NAME", default="tier_good", show_default=True,
              help="What good means: the policies of this context.")  # fmt: skip
@click.option("--product-version", required=True, help="E.g. fedora-40.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def plan_(
    context: Context,
    parts: tuple[str, ...],
    graph: Path,
    changed: tuple[str, ...],
    scope: str,
    good: str,
    product_version: str,
    as_json: bool,
) -> None:
    """Say in which order PARTs are built, which may be built now, what is to be tested, and what blocks.

    Without PARTs the whole graph. A part is built when all that has to be good before is good, so that
    nothing is rebuilt on what turns out to be bad.

    Exit codes: 0 all is good, 1 something failed, 2 there is something to build, to test or to wait for.
    """
    from ..decide.tier_plan import Do, Scope
    from ..operations.tiers import Asked, plan, read_graph

    asked = Asked(
        parts=parts, changed=changed, scope=Scope(scope), context=good, product_version=product_version
    )
    gate = open_gate(context)
    steps = plan(gate, read_graph(graph), asked)
    if as_json:
        print_json([_row(each) for each in steps])
    else:
        print_table(
            ("tier", "part", "build", "do", "why", "testcases"),
            [
                (
                    str(each.tier), each.part, "" if each.build is None else each.build.identifier,
                    str(each.do), _why(each), " ".join(each.run),
                )
                for each in steps
            ],
        )  # fmt: skip
        counts = ", ".join(
            f"{count} to {do}" for do in list(Do)[1:] if (count := sum(each.do is do for each in steps))
        )
        say(f"{plural(len(steps), 'part')}: {counts or 'all good'}")
        failed = [each for each in steps if each.do is Do.MEND]
        if failed and failed[0].build is not None:
            build = failed[0].build.identifier
            next_command(f"ci-results decide {build} --product-version {product_version} --context {good}")
    if any(each.do is Do.MEND for each in steps):
        code = NO
    else:
        code = DONE if all(each.do is Do.NOTHING for each in steps) else PARTLY
    click.get_current_context().exit(code)


def _why(each: Step) -> str:
    if each.blockers:
        return ", ".join(each.blockers)
    if each.build is None and each.waits_for:
        return f"{each.gate}: {', '.join(each.waits_for)} not good"
    return ""


def _row(each: Step) -> dict[str, Any]:
    return {
        "part": each.part,
        "tier": each.tier,
        "build": None if each.build is None else each.build._asdict(),
        "do": str(each.do),
        "gate": str(each.gate),
        "verdict": None if each.verdict is None else str(each.verdict),
        "before": list(each.before),
        "waits_for": list(each.waits_for),
        "testcases": list(each.testcases),
        "run": list(each.run),
        "blockers": list(each.blockers),
    }
