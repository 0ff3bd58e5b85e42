"""`ci-results audit`: whether anybody changed what was waived, and a copy to check against."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import click

from .context import Context, pass_context
from .exits import NO
from .output import next_command, plural, print_json, say


@click.group()
def audit() -> None:
    """Check the chain of waiver events, and copy it out."""


@audit.command()
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="An earlier export, kept elsewhere: shows also events that were cut off, or a chain made anew.",
)
@click.option("--head", "heads", multiple=True, metavar="ID:HASH", help="The end that was published once.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def verify(context: Context, against: Path | None, heads: tuple[str, ...], as_json: bool) -> None:
    """Compute the hash of every waiver event anew; name those that were altered, and what is missing.

    Exit codes: 0 the chain is whole, 1 it is not, 3 error.
    """
    from ..operations.audit import read_published
    from ..operations.audit import verify as check

    published: dict[int, str] = {}
    if against is not None:
        with against.open("rb") as lines:
            published |= read_published(lines, str(against))
    published |= dict(map(_head, heads))
    found = check(context.store(must_exist=True).waivers, published)
    if as_json:
        print_json({"head": found.head._asdict(), "problems": found.problems})
    else:
        for problem in found.problems:
            click.echo(problem)
        state = "NOT whole" if found.problems else "whole"
        head = f"{found.head.id}:{found.head.hash}"
        say(f"{plural(found.head.id, 'event')}, the chain is {state}; its head is {head}")
        next_command(
            "compare with a backup: ci-results audit export" if found.problems
            else "ci-results audit export -o waivers.jsonl"
        )  # fmt: skip
    if found.problems:
        click.get_current_context().exit(NO)


@audit.command()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File; default: stdout."
)
@pass_context
def export(context: Context, output: Path | None) -> None:
    """Write every waiver event as a line of JSON, with its hash: docs/waivers.md says how to check it."""
    from ..operations.audit import export as lines

    log = context.store(must_exist=True).waivers
    count = 0
    with nullcontext(sys.stdout.buffer) if output is None else output.open("wb") as target:
        for line in lines(log):
            target.write(line)
            count += 1
        target.flush()
    say(f"wrote {plural(count, 'event')}{'' if output is None else f' to {output}'}")
    if output is not None:
        next_command(f"keep it elsewhere, then: ci-results audit verify --against {output}")


def _head(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise click.UsageError("--head needs ID:HASH as `audit verify` says it")
    return int(number), digest
