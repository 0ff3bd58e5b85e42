"""`ci-results db`: care for the store."""

from __future__ import annotations

from pathlib import Path

import click

from .context import Context, pass_context
from .exits import NO
from .output import next_command, print_json, say, size, word


@click.group()
def db() -> None:
    """Care for the store: make, migrate, check, copy, back up, give space back."""


@db.command()
@pass_context
def create(context: Context) -> None:
    """Make the store where there is none: its file, or its database with the tables.

    On PostgreSQL the user of the URL must be allowed to create databases, or the database be there.
    """
    from ..store.opening import create_store, shown_store

    made = create_store(context.url)
    click.echo(f"{shown_store(context.url)}: {'made' if made else 'is there already'}")
    next_command("ci-results harvest")


@db.command()
@pass_context
def migrate(context: Context) -> None:
    """Bring the store to the schema of this version.

    Every command does so when it opens the store; this one is for a moment of your choice.
    """
    from ..store.opening import migrate_store, shown_store

    changed = migrate_store(context.url)
    click.echo(f"{shown_store(context.url)}: {'migrated' if changed else 'has the schema of this version'}")
    next_command("ci-results db check")


@db.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def copy(context: Context, source: str, target: str, as_json: bool) -> None:
    """Copy a store into one of the same or another kind, and compare the two.

    FROM and TO are URLs: sqlite:FILE or postgresql://USER@HOST/DATABASE. FROM may be in use. TO is made
    where it is not there, and must be empty. Ids, commits and times of receipt are kept. Where the copy
    is interrupted, TO stays empty.
    """
    from ..operations.copy import copy as run
    from .progress import shown_steps

    with shown_steps() as tell:
        copied = run(source, target, tell)
    if as_json:
        print_json(copied)
        return
    results, records = copied.rows["_result"], copied.rows["_quarantine"]
    click.echo(f"{results} results and {records} quarantined records copied")
    click.echo(f"the canonical dumps of both are equal: {copied.facts} facts, digest {copied.digest}")
    next_command(f"ci-results --store {target} db check")


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
    """Copy the live store to TARGET, a new file, and check the copy.

    A store on PostgreSQL is backed up with pg_dump, or copied into a file: db copy URL sqlite:FILE.
    """
    from ..errors import StoreError
    from ..store.opening import is_postgres, open_store, shown_store

    if is_postgres(context.url):
        name = shown_store(context.url)
        raise click.UsageError(f"back up PostgreSQL with: pg_dump --format=custom --file={target} {name}")
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
    """Give unused space back to the disk; on SQLite readers wait meanwhile.

    PostgreSQL does so by itself (autovacuum), for reuse; here it is done now, and tables are analysed.
    """
    before, after = context.store(must_exist=True).vacuum()
    click.echo(f"{size(before)} before, {size(after)} after")
    next_command("ci-results db check")
