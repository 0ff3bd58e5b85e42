"""`ci-results remap`: read messages again whose mapping was mended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from .context import Context, pass_context
from .exits import DONE, NO, PARTLY
from .harvest import stop_at_checkpoint
from .import_ import time_of
from .listen import messages_again
from .output import next_command, plural, print_json, print_table, say

if TYPE_CHECKING:
    from ..operations.remap import Change, Remapped


@click.command()
@click.option("--mapping", required=True, metavar="NAME@VERSION", help="What reads them now: ci_metrics@2.")
@click.option("--since", metavar="TIME", help="Messages that came from then on (UTC); default: all.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def remap(context: Context, mapping: str, since: str | None, dry_run: bool, as_json: bool) -> None:
    """Read messages again that an older version of a mapping has read, from their bytes as they came.

    A result that comes out otherwise is stored anew and supersedes the old one, which stays; what comes out
    the same is left alone, and so is what a later message has told anew. Once done, it finds nothing more.

    Exit codes: 0 all messages were read, 2 some, 1 none of those that there are.
    """
    from ..operations.remap import Remapping
    from ..operations.remap import remap as run
    from .progress import shown_bars

    begin = datetime(1970, 1, 1, tzinfo=UTC) if since is None else time_of(since)
    store = context.store(must_exist=True)
    again = messages_again(context, store)
    with stop_at_checkpoint() as stop, shown_bars(["remap"], quiet=as_json) as draw:
        done = run(
            Remapping(
                store=store, plugins=context.plugins, mapping=mapping, since=begin, dry_run=dry_run,
                stop=stop,
                takings=again.takings, options=again.options, vocabulary=again.vocabulary,
                tell=lambda messages: draw("remap", messages, None, f"{messages} messages", ""),
            )
        )  # fmt: skip
    if as_json:
        changes = [
            {**change._asdict(), "before": change.before or None, "results": count}
            for change, count in sorted(_by_name(done))
        ]
        print_json({
            "messages": done.messages, "same": done.same, "outdated": done.outdated, "gone": done.gone,
            "changes": changes, "unread": done.unread, "whole": done.whole, "dry_run": dry_run,
        })  # fmt: skip
    else:
        _print(done, mapping, dry_run=dry_run)
    left = len(done.unread)
    code = DONE if done.whole and not left else NO if left and left == done.messages else PARTLY
    click.get_current_context().exit(code)


def _print(done: Remapped, mapping: str, *, dry_run: bool) -> None:
    if done.changes:
        rows = [
            (change.testcase, change.before or "-", change.outcome, str(count))
            for change, count in sorted(_by_name(done))
        ]
        print_table(("TESTCASE", "BEFORE", "NOW", "RESULTS"), rows)
    for key, reason in list(done.unread.items())[:5]:
        say(f"  message {key} stays as it was read: {reason}")
    would = "would change" if dry_run else "changed"
    say(
        f"{plural(done.messages, 'message')} read again,"
        f" {plural(sum(done.changes.values()), 'result')} {would},"
        f" {done.same} the same, {done.outdated} told anew since, {done.gone} not made any more,"
        f" {plural(len(done.unread), 'message')} as before"
    )
    if not done.whole:
        say("stopped: the same command goes on")
    if dry_run and done.messages:
        next_command(f"ci-results remap --mapping {mapping}")
    else:
        next_command("ci-results result list", "ci-results follow --once")


def _by_name(done: Remapped) -> list[tuple[Change, int]]:
    return [(change._replace(before=change.before or ""), count) for change, count in done.changes.items()]
