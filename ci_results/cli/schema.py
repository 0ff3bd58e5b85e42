"""`ci-results schema`: what our JSON looks like, and whether a document is so."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .context import Context, pass_context
from .exits import NO
from .output import next_command, plural, print_json, print_table, printable, say, word

MOST_BYTES = 256 << 20
MOST_FAULTS = 50


@click.group()
def schema() -> None:
    """What our JSON looks like, and whether a document is so."""


@schema.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """List the schemas: of what is posted to us, of what we answer and print."""
    from .published import published

    rows = [
        {"name": name, "about": str(each.get("description", ""))}
        for name, each in published(context.config.outcomes).items()
    ]
    if as_json:
        print_json(rows)
        return
    print_table(("name", "about"), [(row["name"], row["about"]) for row in rows])
    next_command("ci-results schema show NewResult", "ci-results schema check FILE")


@schema.command()
@click.argument("name")
@pass_context
def show(context: Context, name: str) -> None:
    """Print the schema NAME as JSON Schema 2020-12, complete in itself."""
    from ..operations.schema_check import whole
    from .published import published

    print_json(whole(name, published(context.config.outcomes)))


@schema.command()
@click.argument("where", metavar="FILE|URL|-")
@click.option("--schema", "name", help="Hold it against this one; default: the one that it looks like.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def check(context: Context, where: str, name: str | None, as_json: bool) -> None:
    """Say of a document, JSON or a JSON value a line, which fields are wrong and what is expected there.

    Exit codes: 0 nothing is wrong, 1 something is, 3 it cannot be read.
    """
    from ..errors import InvalidError
    from ..operations.schema_check import check as run
    from .published import published

    schemas = published(context.config.outcomes)
    try:
        checked = run(_document(where), schemas, name)
    except InvalidError as err:
        raise InvalidError(f"{where}: {err}") from err
    if as_json:
        print_json(checked)
    else:
        for fault in checked.faults[:MOST_FAULTS]:
            line = "" if fault.line is None else f"line {fault.line}, "
            click.echo(f"{line}{printable(fault.path)}: expected {printable(fault.expected)}")
            click.echo(f"  found {printable(fault.found)}")
        if len(checked.faults) > MOST_FAULTS:
            say(f"and {len(checked.faults) - MOST_FAULTS} more; all of them with --json")
        state = "bad" if checked.faults else "ok"
        held = f"held against {checked.schema}{'' if name else ', which it looks like'}"
        values, faults = plural(checked.values, "value"), plural(len(checked.faults), "fault")
        say(f"{word(state)}: {values}, {faults}, {held}")
    if checked.faults:
        next_command(f"ci-results schema show {checked.schema}")
        click.get_current_context().exit(NO)


def _document(where: str) -> bytes:
    """Read a file, an address, or standard input. Raises InvalidError, CollectError."""
    from ..errors import InvalidError

    if where.startswith(("http://", "https://")):
        from ..plugin.http import SourceSession

        with SourceSession(where) as http, http.get_stream(where, max_bytes=MOST_BYTES) as stream:
            return stream.read()
    try:
        raw = sys.stdin.buffer.read(MOST_BYTES + 1) if where == "-" else Path(where).read_bytes()
    except OSError as err:
        raise InvalidError(f"cannot be read: {err.strerror}") from err
    if len(raw) > MOST_BYTES:
        raise InvalidError(f"is longer than {MOST_BYTES >> 20} MiB")
    return raw
