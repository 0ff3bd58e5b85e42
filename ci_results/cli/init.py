"""`ci-results init`: begin in a project of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from .exits import PARTLY
from .output import next_command, say


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--tox", is_flag=True, help="Add an environment `ci-results` to tox.ini.")
def init(folder: Path, tox: bool) -> None:
    """Write a ci-results.toml with comments into FOLDER (here), for you to change.

    With --tox, `tox run -e ci-results` then runs the tests, keeps their results in a file beside it
    and sends them on to another. What is there already is never overwritten: where lines cannot be
    added they are printed, for you to put in their place.

    Exit codes: 0 all is in place, 2 lines are printed.
    """
    from ..operations.init import begin

    done = begin(folder, tox=tox)
    for one in done:
        said = f"{one.state} {one.path}" if not one.why else f"{one.path} {one.why}"
        say(said)
        if one.lines:
            click.echo(one.lines.rstrip("\n"))
    if tox:
        say("not for version control: ci-results.db*, ci-results.jsonl")
    left = [one.path for one in done if one.lines]
    if left:
        next_command(f"put the lines above into {' and '.join(map(str, left))}", "tox run -e ci-results")
        click.get_current_context().exit(PARTLY)
    elif tox:
        next_command("tox run -e ci-results", "ci-results serve")
    else:
        next_command("ci-results source add NAME URL", "ci-results report FILE --item ITEM")
