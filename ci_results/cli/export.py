"""`ci-results export`: results as files for other engines."""

from __future__ import annotations

from pathlib import Path

import click

from .context import Context, pass_context
from .output import next_command, plural, print_json, say


@click.group()
def export() -> None:
    """Results as files that other engines read."""


@export.command()
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def feed(context: Context, target: Path, as_json: bool) -> None:
    """Write all that is stored to FILE, a new one, as a feed; a name that ends in .gz is packed.

    Its lines are those of a sink `jsonlines` that got everything. `ci-results replay` makes the store anew of
    it. The store may be in use.
    """
    from ..operations.export_feed import export_feed
    from .progress import shown_steps

    store = context.store(must_exist=True)
    with shown_steps() as tell:
        written = export_feed(store, target, tell)
    if as_json:
        print_json(written)
        return
    for kind, lines in sorted(written.lines.items()):
        click.echo(f"{kind:12}{lines:>10}")
    say(f"{target}: {plural(sum(written.lines.values()), 'line')}, up to commit {written.seq}")
    next_command(f"ci-results replay --check {target}")


@export.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def parquet(context: Context, folder: Path, as_json: bool) -> None:
    """Bring DIR up to what the store holds: Parquet, a folder for each month and namespace.

    Only months in which something came, or was superseded, are written anew. Interrupted, the next call
    goes on. The store may be in use. docs/parquet.md has questions to ask of it with DuckDB.
    """
    from ..operations.export_parquet import export_parquet
    from .progress import shown_steps

    context.store(must_exist=True)
    with shown_steps() as tell:
        done = export_parquet(context.url, folder, tell)
    if as_json:
        print_json(done)
        return
    for month, rows in done.rows.items():
        click.echo(f"{month}  {rows:>10,} results")
    say(f"{plural(len(done.rows), 'month')} written, {plural(done.files, 'file')}; commit {done.seq}")
    next_command(f"duckdb -c \"from read_parquet('{folder}/*/*/*.parquet') limit 9\"")
