"""`ci-results db`: care for the store."""

from __future__ import annotations

from pathlib import Path

import click

from .context import Context, pass_context
from .exits import NO
from .output import next_command, print_json, say, size, word


@click.group()
def db() -> None:
    """Care for the store: check, back up, give space back."""


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def check(context: Context, as_json: bool) -> None:
    """Check that the store is sound, and count what is in it.

    Exit codes: 0 sound, 1 not.
    """
    store = context.store(must_exist=True)
    problems = list(store.check())
    counts = store.counts()
    if as_json:
        print_json({"problems": problems, "counts": counts})
    else:
        for name, count in counts.items():
            click.echo(f"{name:12}{count}")
        for problem in problems:
            click.echo(f"{word('bad')}: {problem}")
        say("the store is sound" if not problems else "the store is damaged")
        next_command("ci-results db backup FILE")
    if problems:
        click.get_current_context().exit(NO)


@db.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@pass_context
def backup(context: Context, target: Path) -> None:
    """Copy the live store to TARGET, a new file, and check the copy."""
    from ..errors import StoreError
    from ..store.opening import open_store

    store = context.store(must_exist=True)
    store.backup(target)
    copy = open_store(f"sqlite:{target.absolute()}")
    try:
        problems = list(copy.check())
        counts = copy.counts()
    finally:
        copy.close()
    if problems:
        raise StoreError(f"{target}: the copy is not sound: {problems[0]}")
    click.echo(f"{target}: {counts['results']} results, {size(target.stat().st_size)}, checked")
    next_command(f"ci-results --store sqlite:{target} result list")


@db.command()
@pass_context
def vacuum(context: Context) -> None:
    """Give unused space back to the disk; readers wait meanwhile."""
    before, after = context.store(must_exist=True).vacuum()
    click.echo(f"{size(before)} before, {size(after)} after")
    next_command("ci-results db check")
