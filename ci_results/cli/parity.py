"""`ci-results parity`: do we say what the old system said?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .context import Context, pass_context
from .exits import NO, PARTLY
from .output import next_command, plural, print_json, print_table, say

if TYPE_CHECKING:
    from ..operations.parity import Compared, Parity

READABLE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--old", required=True, type=READABLE, help="The old verdicts: CSV, or a JSON object a line.")
@click.option(
    "--testcases", multiple=True, metavar="GLOB", help="Only these, e.g. 'dist.*'; may be repeated."
)
@click.option("--explain", type=READABLE, help="What is known of differences; see docs/errata-tool.md.")
@click.option("--all", "every", is_flag=True, help="List what matches and what is explained, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def parity(
    context: Context,
    old: Path,
    testcases: tuple[str, ...],
    explain: Path | None,
    every: bool,
    as_json: bool,
) -> None:
    """Compare verdicts of the Errata Tool with our results, by item and testcase.

    Of each the newest counts, and of several architectures the worst. Items that only we know are not
    looked at, and imported results are no evidence of ours.

    Exit codes: 0 every difference is explained, 1 some are not, 2 all are but some rows could not be read.
    """
    from ..errors import InvalidError
    from ..formats.errata_table import read_verdicts
    from ..operations.known_differences import Explanations, read_explanations
    from ..operations.parity import parity as run

    vocabulary = context.config.outcomes
    known = Explanations() if explain is None else read_explanations(explain, vocabulary)
    store = context.store(must_exist=True)
    with old.open("rb") as stream:
        try:
            found = run(read_verdicts(stream), store, known, testcases=testcases, vocabulary=vocabulary)
        except InvalidError as err:
            raise InvalidError(f"{old}: {err}") from err
    listed = [each for each in found.compared if every or each.unexplained]
    if as_json:
        print_json({"counts": found.counts(), "differences": listed, "unread": found.unread})
    else:
        _print(found, listed, old)
    unexplained = [each for each in found.compared if each.unexplained]
    if unexplained:
        next_command(
            f"ci-results result list --item {unexplained[0].item}",
            "explain them: ci-results parity --old FILE --explain known.toml",
        )
        click.get_current_context().exit(NO)
    if found.unread:
        next_command(f"mend the rows of {old}, or map their words in --explain")
        click.get_current_context().exit(PARTLY)
    next_command(f"ci-results import et {old}")


def _print(found: Parity, listed: list[Compared], old: Path) -> None:
    if listed:
        print_table(
            ("", "item", "testcase", "there", "here", "explanation"),
            [
                (each.match, each.item, each.testcase, each.old, each.new, _why(each))
                for each in listed
            ],
        )  # fmt: skip
        click.echo()
    print_table(
        ("", "all", "explained", "unexplained"),
        [
            (match, *(str(counts[name]) for name in ("all", "explained", "unexplained")))
            for match, counts in found.counts().items()
        ],
    )
    for each in found.unread[:10]:
        say(f"{old}, {each.line}: {each.reason}")
    if found.unread:
        say(f"{plural(len(found.unread), 'row')} of {old} could not be read, and none of these is compared")


def _why(each: Compared) -> str:
    return "not explained" if each.explanation is None else each.explanation
