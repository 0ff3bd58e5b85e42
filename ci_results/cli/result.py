"""`ci-results result`: look results up, and hand them to other tools."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .context import Context, pass_context
from .exits import NO
from .output import next_command, plural, print_json, print_table, printable, say, seconds, stamp, word

if TYPE_CHECKING:
    from ..domain.bus_message import StoredMessage
    from ..domain.stored import StoredResult
    from ..query.results import ResultQuery

F = TypeVar("F", bound=Callable[..., Any])
_AGE = re.compile(r"(\d+)\s*(min|h|d|w)")
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since(text: str) -> datetime:
    """Read a time in UTC or an age: 2026-01-02, 2026-01-02T03:04, 90min, 36h, 7d, 2w."""
    age = _AGE.fullmatch(text)
    if age is not None:
        return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
    try:
        time = datetime.fromisoformat(text)
    except ValueError as err:
        raise click.BadParameter(
            f"{text!r} is neither a time (2026-01-02T03:04) nor an age (36h, 7d)"
        ) from err
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def filters(function: F) -> F:
    """Add the options that say which results."""
    for option in reversed(
        (
            click.option("--testcase", help="Exact name, or the beginning of one: dist.*"),
            click.option("--item", help="An identifier as given, an NVR, or a component name."),
            click.option("--outcome", "outcomes", multiple=True, help="E.g. FAILED; may be given often."),
            click.option("--source", help="Only of this source."),
            click.option("--run", help="Only of this run, e.g. rpm/tier1#42."),
            click.option(
                "--since", type=since, metavar="TIME|AGE", help="Not older: 2026-01-02T03:04 (UTC), 36h, 7d."
            ),
            click.option(
                "--latest", is_flag=True, help="Only the newest of each testcase, item and variant."
            ),
        )
    ):
        function = option(function)
    return function


@click.group()
def result() -> None:
    """Look results up, and hand them to other tools."""


@result.command("list")
@filters
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--before", metavar="TIME,ID", help="Go on after this row: the last line of a list says it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def list_(context: Context, /, limit: int, before: str | None, as_json: bool, **asked: Any) -> None:
    """List results, newest first."""
    from ..operations.export import page_end

    query = _query(limit=limit, before=_before(before), **asked)
    found = context.store(must_exist=True).results(query)
    if as_json:
        print_json(found)
        return
    print_table(
        ("id", "time", "outcome", "testcase", "item", "arch", "took"),
        [
            (
                str(one.id), f"{one.time:%Y-%m-%dT%H:%M:%SZ}", one.outcome, one.testcase, one.item,
                " ".join(filter(None, (one.arch, one.scenario))), seconds(one.duration_s),
            )
            for one in found
        ],
    )  # fmt: skip
    say(plural(len(found), "result"))
    if len(found) == limit:
        time, number = page_end(found[-1])
        next_command(f"... --before {time},{number}", f"ci-results result show {found[0].id}")
    elif found:
        next_command(f"ci-results result show {found[0].id}")
    else:
        next_command("ci-results harvest", "ci-results coverage")


@result.command()
@click.argument("result_id", metavar="ID", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def show(context: Context, result_id: int, as_json: bool) -> None:
    """Show all that is known of one result."""
    store = context.store(must_exist=True)
    one = store.result(result_id)
    messages = store.bus.of_result(result_id)
    if as_json:
        print_json({**asdict(one), "messages": [_told(each) for each in messages]})
        return
    _print_one(one)
    for each in messages:
        via = f"{each.topic} {each.key} by {', '.join(each.transports)}, read by {each.mapping}"
        click.echo(f"{'message':14}{printable(via)}")
    next_command(
        f"ci-results result list --testcase {one.testcase}",
        f"ci-results result list --item {one.item} --latest",
    )


@result.command()
@filters
@click.option("--junit", "form", flag_value="junit", help="JUnit XML, a test suite an item.")
@click.option("--jsonl", "form", flag_value="jsonl", default=True, help="A JSON object a line.  [default]")
@click.option("--limit", type=click.IntRange(1), help="At most so many, the newest.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File; default: stdout."
)
@pass_context
def export(context: Context, /, form: str, limit: int | None, output: Path | None, **asked: Any) -> None:
    """Write results as JUnit XML or as JSON lines.

    Exit codes: 0 written, 1 nothing was found.
    """
    from itertools import islice

    from ..operations.export import all_results, export_junit, export_lines

    found = islice(all_results(context.store(must_exist=True), _query(limit=50, before=None, **asked)), limit)
    write = export_junit if form == "junit" else export_lines
    if output is None:
        count = write(found, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    else:
        with output.open("wb") as target:
            count = write(found, target)
    say(f"wrote {plural(count, 'result')}{'' if output is None else f' to {output}'}")
    if not count:
        next_command("ci-results result list")
        click.get_current_context().exit(NO)


def _query(
    *,
    testcase: str | None,
    item: str | None,
    outcomes: tuple[str, ...],
    source: str | None,
    run: str | None,
    since: datetime | None,
    latest: bool,
    limit: int,
    before: tuple[str, int] | None,
) -> ResultQuery:
    from ..query.results import ResultQuery

    return ResultQuery(
        testcase=testcase,
        item=item,
        outcomes=tuple(outcome.upper() for outcome in outcomes),
        source=source,
        run=run,
        since=since,
        latest=latest,
        limit=limit,
        before=before,
    )


def _before(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    time, _, number = text.partition(",")
    if not number.isdigit():
        raise click.UsageError("--before needs TIME,ID as a list's last line says it")
    return time, int(number)


def _print_one(one: StoredResult) -> None:
    rows: list[tuple[str, str]] = [
        ("outcome", word(one.outcome)),
        ("testcase", one.testcase),
        ("item", f"{one.item} ({one.item_type})"),
        ("time", stamp(one.time)),
        ("took", seconds(one.duration_s)),
        ("arch", one.arch),
        ("scenario", one.scenario),
        ("link", one.ref_url or ""),
        ("source", one.source),
        ("run", one.run or ""),
        ("key", one.key),
        ("superseded by", "" if one.superseded_by is None else str(one.superseded_by)),
    ]
    for name, value in rows:
        if value:
            click.echo(f"{name:14}{value if name == 'outcome' else printable(value)}")
    for name, values in one.data.items():
        click.echo(f"{printable(name):14}{printable(', '.join(values))}")
    if one.note:
        click.echo("note")
        for line in one.note.splitlines():
            click.echo(f"  {printable(line)}")


def _told(message: StoredMessage) -> dict[str, object]:
    """Return what is said of a message that a result came by; its bytes are another thing."""
    names = ("key", "topic", "mapping", "transports", "received_at", "size", "digest")
    return {name: getattr(message, name) for name in names}
