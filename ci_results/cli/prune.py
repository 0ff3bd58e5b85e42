"""`ci-results prune`: let old results go."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ..store.urls import store_path
from .caller import caller
from .context import Context, pass_context
from .exits import PARTLY
from .harvest import stop_at_checkpoint
from .output import next_command, plural, print_json, print_table, say, size

if TYPE_CHECKING:
    from ..domain.pruning import Criteria, Order
    from ..operations.prune import Pruned

WHY = {
    "evidence": "a recorded decision weighed them",
    "shipped": "their item has a recorded decision that said go",
    "waived": "a waiver is about their item, or bound to their failure",
    "waiting": "a sink or the follower has not got them, or a sink refused them",
    "expected": "the newest of an item of which results are expected",
    "newest": "the newest of a testcase, item, scenario and architecture",
    "correction": "they took the place of results that stay",
}
"""Why results stay that are old enough."""


def moment(text: str) -> datetime:
    """Read a time, in UTC, or an age: 2026-01-02, 180d, 26w."""
    from ..errors import InvalidError
    from ..waive.ends import read_age

    try:
        return read_age(text, datetime.now(UTC))
    except InvalidError as err:
        raise click.BadParameter(str(err)) from err


@click.command()
@click.option(
    "--older-than", "before", required=True, type=moment, metavar="AGE|TIME", help="180d, 26w, 2026-01-02."
)
@click.option("--testcase", metavar="PATTERN", help="Only of these testcases: baseos.*")
@click.option("--source", metavar="NAME", help="Only of this source.")
@click.option("--all-states", is_flag=True, help="The newest of a testcase and item may leave as well.")
@click.option("--comment", help="Why; it is kept for good.")
@click.option("--by", "username", metavar="NAME", help="Who lets them go.  [default: who calls]")
@click.option("--yes", is_flag=True, help="Do it; without, say what would leave.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def prune(
    context: Context, before: datetime, testcase: str | None, source: str | None, all_states: bool,
    comment: str | None, username: str | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Let old results go, for good; the store keeps who let them go, when, why and which.

    Without --yes nothing leaves, and it is told what would. Age goes by the time that counts: when the run
    ended, or when it was received if that was earlier. What stays, however old: what a recorded decision
    weighed, all of an item that a decision let through or a waiver is about, what a configured sink or the
    follower has not got yet, and the newest result of each testcase, item, scenario and architecture (with
    --all-states that leaves, too). Waivers, decisions, the quarantine and the counts of days are not touched.
    What left and comes again is known, and not stored.

    A server may run meanwhile. What is broken off goes on with the same command.

    Exit codes: 0 done, 2 stopped before the end.
    """
    from ..domain.pruning import Criteria, Order
    from ..operations.prune import Prune
    from ..operations.prune import prune as run
    from .progress import shown_bars

    if yes and not (comment or "").strip():
        raise click.UsageError("results leave for good: say why, with --comment")
    who = caller(context)
    if username and who.verified and username != who.name:
        raise click.UsageError(f"the token is of {who.name}: leave --by out")
    path = store_path(context.url)
    absent = path is not None and not path.exists()
    store = context.store(must_exist=True) if yes or absent else context.store_to_ask()
    sinks = frozenset(context.config.sinks)
    criteria = Criteria(before=before, testcase=testcase, source=source, all_states=all_states, sinks=sinks)
    order = None
    if yes:
        order = Order(username=username or who.name, comment=comment or "", begun=datetime.now(UTC))
    with stop_at_checkpoint() as stop, shown_bars(["prune"], quiet=as_json) as draw:
        done = run(
            Prune(
                store=store, criteria=criteria, order=order, stop=stop,
                tell=lambda count: draw("prune", count, None, f"{count} looked at", ""),
            )
        )  # fmt: skip
    if as_json:
        print_json({
            "criteria": criteria.told(), "dry_run": order is None, "results": done.results,
            "size_bytes": done.size_bytes, "months": done.months, "kept": done.kept, "pages": done.pages,
            "whole": done.whole,
        })  # fmt: skip
    else:
        _print(done, order, criteria)
    if not done.whole:
        click.get_current_context().exit(PARTLY)


def _print(done: Pruned, order: Order | None, criteria: Criteria) -> None:
    if done.months:
        rows = [
            (one.source, one.month, str(one.results), f"about {size(one.size_bytes)}") for one in done.months
        ]
        print_table(("SOURCE", "MONTH", "LEAVE", "SPACE"), rows)
    if done.kept:
        print_table(
            ("STAY", "RESULTS", "WHY"), [(name, str(count), WHY[name]) for name, count in done.kept.items()]
        )
    left = "would leave" if order is None else "left"
    say(
        f"{plural(done.results, 'result')} {left}, {sum(done.kept.values())} as old stay;"
        f" about {size(done.size_bytes)} to reuse"
    )
    if not done.whole:
        say("stopped: the same command goes on")
    if order is None and done.results:
        next_command(_again(criteria))
    elif order is None:
        next_command("ci-results status", "ci-results db vacuum")
    else:
        next_command("ci-results db check", "ci-results db vacuum")


def _again(criteria: Criteria) -> str:
    """Return the command that does it."""
    words: Sequence[str] = (
        "ci-results", "prune", "--older-than", f"{criteria.before.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        *(("--testcase", criteria.testcase) if criteria.testcase else ()),
        *(("--source", criteria.source) if criteria.source else ()),
        *(("--all-states",) if criteria.all_states else ()),
        "--comment", "WHY", "--yes",
    )  # fmt: skip
    return shlex.join(words)
