"""`ci-results policy test`: tables of facts, each with the verdict that policies must give."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .context import Context, pass_context
from .exits import NO
from .output import next_command, plural, print_json, printable, say, word

if TYPE_CHECKING:
    from ..decide.trying import Tried


@click.command("test")
@click.argument("paths", metavar="[DIR|FILE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--verbose", "-v", is_flag=True, help="Name those that are as expected, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def test_(context: Context, paths: tuple[Path, ...], verbose: bool, as_json: bool) -> None:
    """Decide by tables of facts, NAME.test.yaml, and compare with the verdicts that they expect.

    Without a path: those beside the policies that the configuration names, and in folders `tests` there. No
    store is read. The same tables are pytest's with `pytest --policy-tests`.

    Exit codes: 0 all as expected, 1 some are not, 3 a file cannot be used.
    """
    from ..testing.policy_trials import find_policy_tests, read_policy_tests

    files = find_policy_tests(paths or _folders(context))
    read = [read_policy_tests(file, context.plugins.rule_types) for file in files]
    tried = [each for tests in read for each in tests.run()]
    failed = [each for each in tried if each.problems]
    if as_json:
        print_json([_row(each) for each in tried])
    else:
        for each in tried:
            _tell(each, verbose)
        good = f"{len(tried) - len(failed)} as expected"
        say(f"{plural(len(tried), 'test')} in {plural(len(files), 'file')}: {good}, {len(failed)} not")
        if failed:
            next_command("put the policy or the table right, at the lines above")
    click.get_current_context().exit(NO if failed else 0)


def _folders(context: Context) -> list[Path]:
    """Return the folders of the policies that are in force. Raises ConfigError where there are none."""
    from ..errors import ConfigError
    from ..operations.gate import policy_files
    from ..testing.policy_trials import is_policy_test

    patterns = context.config.gate.policies
    if not patterns:
        raise ConfigError(
            'no policy is configured; name a DIR or FILE, or write [gate] policies = ["policies/*.yaml"]'
        )
    folders = dict.fromkeys(file.parent for file in policy_files(patterns, context.config.folder))
    found = [
        each
        for folder in folders
        for place in (folder, folder / "tests")
        for each in sorted(place.glob("*.y*ml"))
        if is_policy_test(each)
    ]
    if not found:
        told = ", ".join(map(str, folders))
        raise ConfigError(f"no file of tests, NAME.test.yaml, is beside the policies in {told}")
    return found


def _tell(each: Tried, verbose: bool) -> None:
    trial = each.trial
    if each.problems:
        click.echo(f"{word('failed')}  {printable(f'{trial.place}: {trial.name}')}")
        for place, told in each.problems:
            click.echo(f"  {printable(f'{place}: {told}')}")
    elif verbose:
        click.echo(f"{word('passed')}  {printable(f'{trial.place}: {trial.name}')}")


def _row(each: Tried) -> dict[str, Any]:
    trial = each.trial
    return {
        "file": trial.place.file,
        "line": trial.place.line,
        "name": trial.name,
        "expected": str(trial.verdict),
        "verdict": str(each.decision.verdict),
        "problems": [
            {"file": place.file, "line": place.line, "message": told} for place, told in each.problems
        ],
    }
