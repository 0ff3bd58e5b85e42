"""`ci-results manual plan`: the testcases that people have to run for an item."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .caller import caller
from .context import Context, pass_context
from .output import next_command, plural, print_json, print_table, printable, say, stamp

if TYPE_CHECKING:
    from ..domain.plan import PlanVersion

_TRIES = 5


@click.group()
def plan() -> None:
    """Plans: the testcases that people have to run for an item."""


@plan.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--name", help="What the plan is called; default: the name of FILE.")
@click.option("--item", help="What it is for; * is any run of characters: 'Fedora-44-*'.")
@click.option("--item-type", help="Its type; default: of the configuration, else koji_build.")
@click.option("--namespace", help="Put before each testcase name, e.g. desktop.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def import_(
    context: Context,
    file: Path,
    name: str | None,
    item: str | None,
    item_type: str | None,
    namespace: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import a plan from FILE: a table (CSV), or JSON of Kiwi TCMS; - is standard input.

    The table has a column testcase, and may have title, steps, ref_url, owner, contact, item, type.
    What changes a plan is a new version of it; where a row is wrong, nothing is stored.
    """
    from ..errors import InvalidError, StaleError
    from ..formats.plan_files import read_plan_file
    from ..operations.manual_plans import current, import_plan, planned, touched

    if name is None and str(file) == "-":
        raise click.UsageError("give --name: standard input has none")
    data = _bytes(file)
    who = caller(context)
    try:
        read = read_plan_file(data, namespace)
        made = planned(read, name or file.stem, item, item_type, context.config.report.item_type)
        store = context.store()
        for left in reversed(range(_TRIES)):
            before = current(store, made.name)
            who.check_permitted(touched(made, before))
            if dry_run:
                _tell_dry(before, made.testcases, same=before is not None and before.plan == made)
                return
            try:
                done = import_plan(made, who.name, store, before, item_types=context.plugins.item_types)
                break
            except StaleError:
                if not left:
                    raise
    except InvalidError as err:
        raise click.ClickException(f"{file}: nothing is imported\n{err}") from err
    if as_json:
        from ..operations.manual_facts import plan_facts

        print_json({**plan_facts(done.version), "state": done.state})
        return
    version = done.version
    click.echo(
        f"plan {version.plan.name} version {version.version}: {done.state}, "
        f"{plural(len(version.plan.cases), 'testcase')} for {printable(version.plan.item)}"
        f" ({version.plan.item_type})  +{len(done.added)} -{len(done.removed)}"
    )
    next_command(f"ci-results manual status --plan {version.plan.name}", "ci-results serve")


@plan.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """List the plans, the newest first."""
    from ..operations.manual_facts import plan_facts

    found = context.store(must_exist=True).plans()
    if as_json:
        print_json([plan_facts(each, cases=False) for each in found])
        return
    print_table(
        ("plan", "version", "required", "item", "type", "imported", "by"),
        [
            (
                each.plan.name, str(each.version), str(len(each.plan.cases)), each.plan.item,
                each.plan.item_type, stamp(each.time), each.actor,
            )
            for each in found
        ],
    )  # fmt: skip
    say(plural(len(found), "plan"))
    if found:
        next_command("ci-results manual status", f"ci-results manual plan show {found[0].plan.name}")
    else:
        next_command("ci-results manual plan import FILE --item ITEM")


@plan.command()
@click.argument("name")
@click.option("--version", type=click.IntRange(1), help="An older version; default: the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def show(context: Context, name: str, version: int | None, as_json: bool) -> None:
    """Show a plan: what it requires, and its versions."""
    from ..operations.manual_facts import plan_facts

    store = context.store(must_exist=True)
    found = store.plan(name, version)
    versions = store.plan_versions(name)
    if as_json:
        print_json({**plan_facts(found), "versions": [plan_facts(each, cases=False) for each in versions]})
        return
    click.echo(
        f"{name} version {found.version}, for {printable(found.plan.item)} ({found.plan.item_type}),"
        f" imported {stamp(found.time)} by {printable(found.actor)}"
    )
    print_table(
        ("testcase", "title", "owner", "link"),
        [
            (case.testcase, case.title, case.owner or case.contact or "", case.ref_url or "")
            for case in found.plan.cases
        ],
    )
    for each in versions:
        say(f"version {each.version}: {plural(len(each.plan.cases), 'testcase')}, {stamp(each.time)}")
    next_command(f"ci-results manual status --plan {name}")


def _bytes(file: Path) -> bytes:
    from ..formats.plan_files import MAX_BYTES

    if str(file) == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as err:
        raise click.ClickException(f"{file}: cannot be read: {err.strerror}") from err


def _tell_dry(before: PlanVersion | None, wanted: tuple[str, ...], *, same: bool) -> None:
    old = () if before is None else before.plan.testcases
    for name in wanted:
        if name not in old:
            click.echo(f"+ {printable(name)}")
    for name in old:
        if name not in wanted:
            click.echo(f"- {printable(name)}")
    say(
        "nothing would change"
        if same
        else "would be " + ("new" if before is None else f"version {before.version + 1}")
    )
