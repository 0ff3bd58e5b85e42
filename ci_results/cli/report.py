"""`ci-results report`: read report files into the store."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import click

from .context import Context, pass_context
from .exits import ERROR, PARTLY
from .output import next_command, plural, print_json, say, word


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--item", required=True, help="What was tested, e.g. bash-5.2.26-3.fc40.")
@click.option("--item-type", help="Its type; default: of the configuration, else koji_build.")
@click.option("--namespace", help="Put before each testcase name, e.g. baseos.")
@click.option(
    "--time", type=click.DateTime(), help="When the run ended (UTC); wins over the file's own time."
)
@click.option("--scenario", help="The variant it ran in, e.g. uefi.")
@click.option("--arch", help="The architecture it ran on, e.g. aarch64.")
@click.option("--url", help="Where a person reads about the run.")
@click.option("--again", is_flag=True, help="Read files that were read whole before.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def report(
    context: Context,
    files: tuple[str, ...],
    item: str,
    item_type: str | None,
    namespace: str | None,
    time: datetime | None,
    scenario: str | None,
    arch: str | None,
    url: str | None,
    again: bool,
    as_json: bool,
) -> None:
    """Read report FILES (folders, or - for standard input) as results of one item.

    The format is recognised; a file read before costs a read and a hash, and stores nothing.

    Exit codes: 0 all were read, 2 some, 3 none.
    """
    from ..operations.report import About
    from ..operations.report import report as run

    defaults = context.config.report
    prefix = namespace or defaults.namespace
    if prefix is None:
        raise click.UsageError("give --namespace, or set `namespace` in table [report] of the configuration")
    about = About(
        item=item,
        item_type=item_type or defaults.item_type,
        prefix=prefix,
        time=None if time is None else time.replace(tzinfo=UTC),
        scenario=scenario,
        arch=arch,
        url=url,
    )
    store = context.store()
    filed = []
    for one in run(files, about, store, context.plugins, vocabulary=context.config.outcomes, again=again):
        filed.append(one)
        if not as_json:
            counts = one.counts
            click.echo(
                f"{one.file}: {word(one.state)}  +{counts.stored} new  ={counts.same} same"
                f"  !{counts.quarantined} quarantined"
            )
    if as_json:
        print_json(filed)
    states = Counter(one.state for one in filed)
    say(", ".join(f"{plural(count, 'file')} {state}" for state, count in states.items()) or "no report found")
    if any(one.counts.quarantined for one in filed):
        next_command("ci-results quarantine list", f"ci-results result list --item {item}")
    else:
        next_command(f"ci-results result list --item {item}")
    unreadable = states["unreadable"]
    if unreadable:
        click.get_current_context().exit(ERROR if unreadable == len(filed) else PARTLY)
