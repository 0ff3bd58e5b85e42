"""`ci-results quarantine`: what could not be read, and reading it again."""

from __future__ import annotations

import sys

import click

from .context import Context, pass_context
from .exits import NO, PARTLY
from .output import next_command, plural, print_json, print_table, printable, say, size, stamp, word


@click.group()
def quarantine() -> None:
    """What could not be read, and reading it again."""


@quarantine.command("list")
@click.option("--source", help="Only of this source.")
@click.option("--all", "closed_too", is_flag=True, help="Those that were closed, too.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def list_(context: Context, source: str | None, closed_too: bool, limit: int, as_json: bool) -> None:
    """List records that wait, oldest first, each with the reason."""
    store = context.store(must_exist=True)
    records = store.quarantined(source, limit=limit, open_only=not closed_too)
    if as_json:
        print_json(records)
        return
    print_table(
        ("id", "source", "door", "since", "seen", "key", "position", "reason"),
        [
            (
                str(one.id), one.source, one.door, f"{one.received_at:%Y-%m-%dT%H:%M:%SZ}", str(one.seen),
                one.key or "", one.position or "", one.resolution or one.reason,
            )
            for one in records
        ],
    )  # fmt: skip
    say(f"{plural(len(records), 'record')}{' or more' if len(records) == limit else ''}")
    if records:
        next_command(f"ci-results quarantine show {records[0].id}", "ci-results quarantine retry --all")
    else:
        next_command("ci-results harvest", "ci-results doctor")


@quarantine.command()
@click.argument("record_id", metavar="ID", type=int)
@click.option("--raw", is_flag=True, help="Write its bytes to stdout, untouched, and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def show(context: Context, record_id: int, raw: bool, as_json: bool) -> None:
    """Show one record: why it is here, what was told of it, and its offending lines, marked with `>`."""
    from ..operations.offending import excerpt

    one = context.store(must_exist=True).quarantined_record(record_id)
    if raw:
        sys.stdout.buffer.write(one.raw)
        sys.stdout.buffer.flush()
        return
    if as_json:
        print_json(one)
        return
    for name, value in (
        ("source", one.source),
        ("door", one.door),
        ("kind", one.kind),
        ("key", one.key or ""),
        ("position", one.position or ""),
        ("reason", one.reason),
        ("received", f"{stamp(one.received_at)}, {one.seen}x"),
        ("closed", "" if one.resolved_at is None else f"{stamp(one.resolved_at)}: {one.resolution}"),
    ):
        if value:
            click.echo(f"{name:10}{printable(value)}")
    click.echo(f"{'bytes':10}{size(len(one.raw))}")
    for name, value in (one.told or {}).items():
        click.echo(f"{name:10}{printable(value)}")
    lines = excerpt(one.raw, one.position, piece="format" in (one.told or {}))
    width = max((len(line.label) for line in lines), default=0)
    for line in lines:
        mark = click.style(">", fg="red", bold=True) if line.hit else " "
        click.echo(f"{mark} {line.label:>{width}}  {printable(line.text)}")
    retry_it = f"mend the mapping or the report, then: ci-results quarantine retry {one.id}"
    next_command(retry_it, f"ci-results quarantine show {one.id} --raw")


@quarantine.command()
@click.argument("record_ids", metavar="[ID]...", nargs=-1, type=int)
@click.option("--all", "every", is_flag=True, help="All that wait.")
@click.option("--source", help="All of this source that wait.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def retry(
    context: Context, record_ids: tuple[int, ...], every: bool, source: str | None, as_json: bool
) -> None:
    """Read records again with today's configuration and plugins, and store what is readable now.

    Exit codes: 0 all were stored, 2 some, 1 none.
    """
    from ..operations.quarantine import open_records
    from ..operations.quarantine import retry as run
    from .listen import messages_again

    if not (record_ids or every or source):
        raise click.UsageError("give IDs, --source NAME or --all")
    store = context.store(must_exist=True)
    if record_ids:
        records = [store.quarantined_record(number) for number in record_ids]
    else:
        records = open_records(store, source)
    config = context.config
    answers = list(
        run(
            records, context.readable_sources(), store, context.plugins, config.outcomes,
            et_words=config.imports.et.outcomes, ownership=config.owned_by_reports(),
            messages=messages_again(context, store),
        )
    )  # fmt: skip
    if as_json:
        print_json(answers)
    else:
        for one in answers:
            done = plural(one.stored, "result") if one.reason is None else one.reason
            click.echo(f"{one.id}: {word('stored' if one.reason is None else 'bad')}  {printable(done)}")
    stored = sum(one.reason is None for one in answers)
    say(f"{stored} of {plural(len(answers), 'record')} stored")
    next_command("ci-results result list" if stored == len(answers) else "ci-results quarantine list")
    if stored < len(answers):
        click.get_current_context().exit(PARTLY if stored else NO)


@quarantine.command()
@click.argument("record_ids", metavar="ID...", nargs=-1, type=int, required=True)
@click.option("--reason", required=True, help="Why nobody will read them.")
@pass_context
def dismiss(context: Context, record_ids: tuple[int, ...], reason: str) -> None:
    """Close records that nobody will read, saying why; their bytes are kept."""
    from ..operations.quarantine import dismiss as run

    store = context.store(must_exist=True)
    closed = run([store.quarantined_record(number) for number in record_ids], reason, store)
    say(f"{plural(len(closed), 'record')} dismissed")
    next_command("ci-results quarantine list")
