"""`ci-results sink`: where results are sent on, and what they refused."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from .context import Context, pass_context
from .exits import NO, PARTLY
from .output import ago, next_command, plural, print_json, print_table, printable, say, stamp, word

if TYPE_CHECKING:
    from ..domain.delivery import DeliveryState


@click.group()
def sink() -> None:
    """Where results are sent on, and what was refused there."""


@sink.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """List the configured sinks, what waits for each, and since when."""
    rows = _standing(context)
    if as_json:
        print_json(rows)
        return
    if not rows:
        say('no sink is configured; write [sink.NAME] with kind = "resultsdb" into the configuration')
        return
    print_table(
        ("sink", "kind", "state", "waiting", "since", "parked", "sent", "last delivery"),
        [
            (
                row["sink"], row["kind"], row["state"], str(row["waiting"]), _age(row["oldest"]),
                str(row["parked"]), str(row["sent"]), stamp(row["last_ok"]),
            )
            for row in rows
        ],
    )  # fmt: skip
    for row in rows:
        if row["last_error"]:
            say(f"{row['sink']}: {printable(row['last_error'])}")
    parked = any(row["parked"] for row in rows)
    next_command("ci-results sink parked" if parked else "ci-results sink check", "ci-results deliver")


@sink.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def check(context: Context, names: tuple[str, ...], as_json: bool) -> None:
    """Ask sinks (all, or NAMES) whether a delivery would go well; sends no result.

    Exit codes: 0 all answer well, 2 some, 1 none.
    """
    from ..operations.deliver import check_sinks

    answers = list(check_sinks(context.sinks(names)))
    if as_json:
        print_json(answers)
    else:
        for answer in answers:
            click.echo(f"{answer.sink}: {word('ok' if answer.ok else 'bad')}")
            for line in answer.lines:
                click.echo(f"  {printable(line)}")
        sys.stdout.flush()
    next_command("ci-results deliver")
    bad = sum(not answer.ok for answer in answers)
    if bad:
        click.get_current_context().exit(NO if bad == len(answers) else PARTLY)


@sink.command()
@click.argument("name")
@pass_context
def template(context: Context, name: str) -> None:
    """Print what the far side of sink NAME is given before the first delivery: how it is to index, say.

    Exit codes: 0 printed, 1 this kind of sink needs nothing.
    """
    (one,) = context.sinks((name,))
    said = one.sink.template(one.options)
    if said:
        click.echo(said)
    else:
        say(f"a sink of kind {one.keys.kind} needs nothing of the kind")
        click.get_current_context().exit(NO)
    next_command(f"ci-results sink check {name}")


@sink.command()
@click.argument("name", required=False)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def parked(context: Context, name: str | None, limit: int, as_json: bool) -> None:
    """List results that sinks (all, or NAME) refused, oldest first, each with the reason."""
    records = context.store(must_exist=True).outbox.parked(name, limit=limit)
    if as_json:
        print_json(records)
        return
    print_table(
        ("id", "sink", "result", "outcome", "testcase", "item", "tries", "reason"),
        [
            (
                str(one.id), one.sink, str(one.result), one.outcome, one.testcase[:60], one.item[:60],
                str(one.tries), one.reason[:160],
            )
            for one in records
        ],
    )  # fmt: skip
    say(f"{plural(len(records), 'result')}{' or more' if len(records) == limit else ''}")
    if records:
        next_command(f"ci-results result show {records[0].result}", "ci-results sink retry --all")
    else:
        next_command("ci-results sink list")


@sink.command()
@click.argument("record_ids", metavar="[ID]...", nargs=-1, type=int)
@click.option("--all", "every", is_flag=True, help="All that are parked.")
@click.option("--sink", "name", help="All that this sink refused.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def retry(
    context: Context, record_ids: tuple[int, ...], every: bool, name: str | None, as_json: bool
) -> None:
    """Send parked results again; what is taken now is parked no more.

    Exit codes: 0 all were taken, 2 some, 1 none.
    """
    from ..operations.deliver import all_parked
    from ..operations.deliver import retry as run

    if not (record_ids or every or name):
        raise click.UsageError("give IDs, --sink NAME or --all")
    store = context.store(must_exist=True)
    if record_ids:
        records = [store.outbox.parked_record(number) for number in record_ids]
    else:
        records = list(all_parked(store, name))
    answers = list(run(records, context.readable_sinks(), store))
    if as_json:
        print_json(answers)
    else:
        for one in answers:
            state = word("sent" if one.reason is None else "bad")
            click.echo(f"{one.id}: {state}  {printable(one.reason or one.testcase)}")
    sent = sum(one.reason is None for one in answers)
    say(f"{sent} of {plural(len(answers), 'result')} sent")
    next_command("ci-results sink list" if sent == len(answers) else "ci-results sink parked")
    if sent < len(answers):
        click.get_current_context().exit(PARTLY if sent else NO)


def _standing(context: Context) -> list[dict[str, Any]]:
    """Join what is configured with what the store knows; sinks that only the store knows come last."""
    from ..errors import NotFoundError

    configured = context.config.sinks
    states: dict[str, DeliveryState] = {}
    try:
        outbox = context.store(must_exist=True).outbox
        known = [state.sink for state in outbox.states()]
        names = [*configured, *(name for name in known if name not in configured)]
        states = {state.sink: state for state in outbox.states(names)} if names else {}
    except NotFoundError:
        names = list(configured)
    return [_row(name, configured[name].core.kind if name in configured else None, states) for name in names]


def _row(name: str, kind: str | None, states: dict[str, DeliveryState]) -> dict[str, Any]:
    from ..domain.delivery import DeliveryState

    state = states.get(name) or DeliveryState(sink=name)
    fares = "bad" if state.last_error else "new" if state.last_try is None else "ok"
    return {
        "sink": name,
        "kind": kind or "",
        "state": "removed" if kind is None else fares,
        "waiting": state.waiting,
        "oldest": state.oldest,
        "parked": state.parked,
        "sent": state.sent,
        "last_ok": state.last_ok,
        "last_try": state.last_try,
        "last_error": state.last_error,
    }


def _age(oldest: datetime | None) -> str:
    return "" if oldest is None else ago(datetime.now(UTC) - oldest)
