"""`ci-results report`: read report files into the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from .context import Context, pass_context
from .exits import ERROR, PARTLY
from .output import next_command, plural, print_json, print_table, printable, say, size, word

if TYPE_CHECKING:
    from ..domain.page import Committed
    from ..operations.reporting.about import Filed

UNREAD = ("unreadable", "unreachable")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIR|-|URL...")
@click.option("--item", required=True, help="What was tested, e.g. bash-5.2.26-3.fc40.")
@click.option("--item-type", help="Its type; default: of the configuration, else koji_build.")
@click.option(
    "--testcase-prefix",
    "--namespace",
    "prefix",
    help="Put before each testcase name, e.g. baseos; default: of the configuration.",
)
@click.option(
    "--time", type=click.DateTime(), help="When the run ended (UTC); wins over the file's own time."
)
@click.option("--scenario", help="The variant it ran in, e.g. uefi.")
@click.option("--arch", help="The architecture it ran on, e.g. aarch64.")
@click.option("--group", "groups", multiple=True, metavar="UUID", help="A group that the results belong to.")
@click.option("--url", help="Where a person reads about the run.")
@click.option("--run", help="The run these files belong to, e.g. local: only what changed in it is stored.")
@click.option("--again", is_flag=True, help="Read files that were read whole before.")
@click.option("--dry-run", is_flag=True, help="Show each result and what it would change; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def report(
    context: Context,
    files: tuple[str, ...],
    item: str,
    item_type: str | None,
    prefix: str | None,
    time: datetime | None,
    scenario: str | None,
    arch: str | None,
    groups: tuple[str, ...],
    url: str | None,
    run: str | None,
    again: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Read reports as results of one item: files, folders, - for standard input, addresses.

    The format is recognised by content, in archives and compressed files too (gzip, bzip2, xz,
    Zstandard, tar, zip). A file read before costs a read and a hash, and stores nothing. With --run
    a file is read each time, and stores what differs from the last time but for the times: a second
    run of the same tests stores nothing.

    An address on the host of a configured source is fetched with that source's token; no other is.

    Exit codes: 0 all were read, 2 some, 3 none.
    """
    from ..operations.report import Options
    from ..operations.report import report as read
    from ..operations.reporting.about import About
    from .progress import shown_bars

    defaults = context.config.report
    prefix = prefix or defaults.namespace
    if prefix is None:
        raise click.UsageError(
            "give --testcase-prefix, or set `namespace` in table [report] of the configuration"
        )
    about = About(
        item=item,
        item_type=item_type or defaults.item_type,
        prefix=prefix,
        time=None if time is None else time.replace(tzinfo=UTC),
        scenario=scenario,
        arch=arch,
        url=url,
        groups=tuple(dict.fromkeys(groups)),
        ownership=context.config.owned_by_reports(),
        run=run,
    )
    options = Options(
        vocabulary=context.config.outcomes, again=again, dry_run=dry_run, limits=defaults.unpack
    )
    filed: list[Filed] = []
    with shown_bars(["report"], quiet=as_json) as draw:

        def tell(name: str, done: int, total: int, counts: Committed) -> None:
            figures = f"{size(done)} of {size(total)}  {_counts(counts)}"
            draw("report", done, max(total, 1), figures, name)

        store = context.store_to_ask() if dry_run else context.store()
        filed.extend(
            read(files, about, store, context.plugins, options, tell=tell, connect=context.session_for)
        )
    if as_json:
        print_json(filed)
    elif dry_run:
        _print_foreseen(filed)
    else:
        _print_filed(filed)
    _sum_up(filed, item, dry_run=dry_run)
    unread = sum(one.state in UNREAD for one in filed)
    if unread:
        click.get_current_context().exit(ERROR if unread == len(filed) else PARTLY)


def _counts(counts: Committed) -> str:
    superseding = f"  ~{counts.superseding} superseding" if counts.superseding else ""
    return f"+{counts.stored} new{superseding}  ={counts.same} same  !{counts.quarantined} quarantined"


def _print_filed(filed: Sequence[Filed]) -> None:
    """Print a line for each file that said something, then how many results say what."""
    for one in filed:
        if one.state == "empty" and one.format is None:
            continue
        click.echo(f"{printable(one.file)}: {word(one.state)}  {_counts(one.counts)}")
        if one.reason:
            click.echo(f"  {printable(one.reason)}")
    outcomes = _outcomes(filed)
    if outcomes:
        print_table(("outcome", "results"), [(name, str(count)) for name, count in outcomes])


def _print_foreseen(filed: Sequence[Filed]) -> None:
    """Print what each result would be, then where the outcome is another than the store's."""
    _print_filed(filed)
    rows = [each for one in filed for each in one.foreseen]
    if not rows:
        return
    print_table(
        ("testcase", "scenario", "arch", "outcome", "store says", "would be"),
        [
            (
                each.testcase,
                each.scenario or "",
                each.arch or "",
                each.outcome,
                each.now or "nothing",
                each.what,
            )
            for each in rows
        ],
    )
    changed = [each for each in rows if each.now not in (None, each.outcome)]
    for each in changed:
        click.echo(f"{printable(each.testcase)}: {word(str(each.now))} -> {word(each.outcome)}")
    say(f"{plural(len(changed), 'outcome')} would change; nothing was written")


def _outcomes(filed: Sequence[Filed]) -> list[tuple[str, int]]:
    total: Counter[str] = Counter()
    for one in filed:
        total.update(one.outcomes)
    return total.most_common()


def _sum_up(filed: Sequence[Filed], item: str, *, dry_run: bool) -> None:
    states = Counter(one.state for one in filed)
    say(", ".join(f"{plural(count, 'file')} {state}" for state, count in states.items()) or "no report found")
    if dry_run:
        next_command("the same without --dry-run", f"ci-results result list --item {item}")
    elif any(one.counts.quarantined for one in filed):
        next_command("ci-results quarantine list", f"ci-results result list --item {item}")
    else:
        next_command(f"ci-results result list --item {item}")
