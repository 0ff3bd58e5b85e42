"""`ci-results manual`: tests that people run: plans of them, what was found, and how far they have got."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from .caller import caller
from .context import Context, pass_context
from .exits import DONE, NO, PARTLY
from .manual_plan import plan
from .output import next_command, print_json, print_table, printable, say, word

if TYPE_CHECKING:
    from ..domain.plan import PlanVersion
    from ..operations.manual import PlanStatus

_BAR = 30


@click.group()
def manual() -> None:
    """Tests that people run: plans of them, what they found, and how far they have got."""


manual.add_command(plan)


@manual.command()
@click.argument("testcase", metavar="CASE")
@click.option("--item", required=True, help="What was tested.")
@click.option("--item-type", help="Its type; default: of the plan that requires CASE, else as in report.")
@click.option("--outcome", required=True, help="PASSED, FAILED, NEEDS_INSPECTION, ERROR, INFO, RUNNING.")
@click.option("--comment", help="What you saw.")
@click.option("--link", help="Where a person reads more, e.g. a bug.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def record(
    context: Context,
    testcase: str,
    item: str,
    item_type: str | None,
    outcome: str,
    comment: str | None,
    link: str | None,
    as_json: bool,
) -> None:
    """Record what you found in the testcase CASE.

    It is a result like any other, kept for good: to correct it, record again. Who you are says the
    token in the environment variable CI_RESULTS_TOKEN; without one it is the user of this machine,
    marked as not verified.
    """
    from ..operations.manual import Finding, plan_status, requiring, vouched
    from ..operations.manual import record as run
    from ..operations.manual_facts import status_facts

    who = caller(context)
    who.check_permitted([testcase])
    store = context.store()
    plans = requiring(testcase, item, store.plans())
    said = Finding(
        testcase=testcase,
        item=item,
        item_type=item_type or _type_of(plans, context.config.report.item_type),
        outcome=outcome.upper(),
        comment=comment,
        ref_url=link,
        actor=who.name,
        verified=who.verified,
    )
    number = run(said, store, vocabulary=context.config.outcomes, item_types=context.plugins.item_types)
    counted = [each for each in plans if each.plan.item_type == said.item_type]
    found = [plan_status(each, item, store) for each in counted]
    if as_json:
        known = vouched(store, item)
        plans_now = [status_facts(each, known) for each in found]
        print_json({"id": number, "actor": who.name, "actor_verified": who.verified, "plans": plans_now})
        return
    note = "" if who.verified else " (not verified)"
    click.echo(f"{number}: {word(said.outcome)} {printable(testcase)} by {printable(who.name)}{note}")
    for one in found:
        click.echo(f"{one.version.plan.name}: {_counts(one)}")
    if not found:
        say(f"no plan requires this testcase of {printable(item)} ({said.item_type})")
    next_command(f"ci-results manual status --item {item}", f"ci-results result show {number}")


@manual.command()
@click.option("--plan", "name", help="Only of this plan.")
@click.option("--item", help="Only for this item.")
@click.option("--cases", "each_case", is_flag=True, help="List every testcase, not only what is left.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def status(context: Context, name: str | None, item: str | None, each_case: bool, as_json: bool) -> None:
    """Say how far plans have got: in percent of what is required, and what is next.

    Exit codes: 0 all is done and good, 1 something failed, is in error or needs inspection,
    2 something is left to do, 3 there is no such plan.
    """
    from ..errors import NotFoundError
    from ..operations.manual import statuses, vouched
    from ..operations.manual_facts import status_facts

    store = context.store(must_exist=True)
    try:
        plans = store.plans() if name is None else [store.plan(name)]
    except NotFoundError as err:
        raise click.ClickException(str(err)) from err
    if not plans:
        raise click.ClickException("no plan yet; import one with: ci-results manual plan import FILE")
    if item is not None:
        plans = [each for each in plans if each.plan.applies_to(each.plan.item_type, item)]
        if not plans:
            raise click.ClickException(
                f"no plan applies to {item}; list them with: ci-results manual plan list"
            )
    found = statuses(plans, store, item, limit=20)
    if as_json:
        print_json([status_facts(each, vouched(store, each.item)) for each in found])
    else:
        for one in found:
            _print_status(one, each_case=each_case)
        if not found:
            say("nobody has begun: name an item with --item")
        _next(found)
    click.get_current_context().exit(_exit_code(found))


def _type_of(plans: list[PlanVersion], default: str) -> str:
    types = {each.plan.item_type for each in plans}
    if len(types) > 1:
        raise click.UsageError(
            f"plans require it of several types: give --item-type {' or '.join(sorted(types))}"
        )
    return types.pop() if types else default


def _print_status(one: PlanStatus, *, each_case: bool) -> None:
    counts = one.progress
    full = _BAR * counts.done // counts.required
    bar = "#" * full + "." * (_BAR - full)
    click.secho(f"{one.version.plan.name} version {one.version.version} for {printable(one.item)}", bold=True)
    click.echo(f"[{bar}] {_counts(one)}")
    listed = [each for each in one.cases if each_case or each.outcome != "PASSED"]
    if listed:
        print_table(
            ("state", "testcase", "title", "owner", "comment"),
            [
                (
                    each.outcome or "missing", each.case.testcase, each.case.title,
                    each.case.owner or each.case.contact or "",
                    next((fact.note or "" for fact in each.results if fact.outcome == each.outcome), ""),
                )
                for each in listed
            ],
        )  # fmt: skip


def _counts(one: PlanStatus) -> str:
    from ..operations.manual_facts import said

    return f"{word(one.progress.state)}: {said(one.progress)}"


def _next(found: list[PlanStatus]) -> None:
    from ..domain.outcome import UNFINISHED

    for one in found:
        for each in one.cases:
            if each.outcome is None or each.outcome in UNFINISHED:
                case, item = shlex.quote(each.case.testcase), shlex.quote(one.item)
                next_command(f"ci-results manual record {case} --item {item} --outcome PASSED")
                return
    next_command("ci-results manual plan list", "ci-results serve")


def _exit_code(found: list[PlanStatus]) -> int:
    states = {one.progress.state for one in found}
    if states & {"failed", "error", "needs inspection"}:
        return NO
    return DONE if states == {"passed"} else PARTLY
