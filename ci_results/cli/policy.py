"""`ci-results policy`: what policies say, and what is odd about them."""

from __future__ import annotations

from pathlib import Path

import click

from .context import Context, pass_context
from .decide import DEFAULT_TYPE
from .exits import NO, PARTLY
from .gating import open_policies
from .output import next_command, plural, print_json, print_table, printable, say
from .policy_effect import promote_, simulate_
from .policy_test import test_

_ALL = 1_000_000
"""Testcases that lint knows."""


@click.group()
def policy() -> None:
    """Look at policies: what is wrong with them, which rules are in force, and what they decide."""


for each in (test_, simulate_, promote_):
    policy.add_command(each)


@policy.command("lint")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def lint_(context: Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Say what is wrong or odd about policies: FILEs, or those that the configuration names.

    Where there is a store, testcases that never reported are odd, too.

    Exit codes: 0 nothing found, 1 a file cannot be used, 2 warnings only.
    """
    from ..decide.findings import Level
    from ..errors import ConfigError
    from ..operations.gate import lint_files, policy_files

    patterns = context.config.gate.policies
    if not files and not patterns:
        raise ConfigError(
            'no policy is configured; name FILEs, or write [gate] policies = ["policies/*.yaml"]'
        )
    chosen = list(files) or policy_files(patterns, context.config.folder)
    found = lint_files(chosen, context.plugins.rule_types, _testcases(context))
    errors = sum(each.level is Level.ERROR for each in found)
    if as_json:
        print_json(
            [
                {
                    "level": str(each.level), "kind": each.kind, "file": each.place.file,
                    "line": each.place.line, "message": each.message,
                }
                for each in found
            ]
        )  # fmt: skip
    else:
        for each in found:
            click.echo(printable(str(each)))
        warnings = plural(len(found) - errors, "warning")
        say(f"{plural(len(chosen), 'file')}: {plural(errors, 'error')}, {warnings}")
    click.get_current_context().exit(NO if errors else PARTLY if found else 0)


@policy.command()
@click.option("--product-version", "--product", required=True, help="E.g. fedora-40.")
@click.option("--context", "contexts", metavar="NAME", multiple=True, help="The gate; default: each.")
@click.option("--type", "subject_type", default=DEFAULT_TYPE, show_default=True)
@click.option("--package", "--component", help="Name of a component; without it what holds for any.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def explain(
    context: Context,
    product_version: str,
    contexts: tuple[str, ...],
    subject_type: str,
    package: str | None,
    as_json: bool,
) -> None:
    """List the rules that are in force, in the order in which they are weighed, each with its place.

    Exit codes: 0 there are some, 1 no policy is for this.
    """
    from ..decide.explain import effective
    from ..wire.policy_json import rule_row

    policies = open_policies(context)
    found = effective(
        policies,
        policies.subject_types.find(subject_type),
        product_version=product_version,
        contexts=contexts,
        package=package,
    )
    if as_json:
        print_json([rule_row(*each) for each in found])
    else:
        rows = [rule_row(*each) for each in found]
        print_table(
            ("where", "policy", "rule", "testcases", "not weighed"),
            [
                (
                    f"{row['file']}:{row['line']}", row["policy"], f"!{row['rule']}" if row["rule"] else "",
                    " ".join(row["testcases"]), row["passed_over"],
                )
                for row in rows
            ],
        )  # fmt: skip
        say(plural(len(found), "rule"))
        if not found:
            known = ", ".join(sorted(policies.contexts)) or "none"
            say(f"no policy is for {subject_type} of {product_version}; contexts are {printable(known)}")
        next_command("ci-results policy lint")
    click.get_current_context().exit(0 if found else NO)


def _testcases(context: Context) -> frozenset[str] | None:
    """Return the testcases that ever reported; None where there is no store."""
    from ..domain.search import NameQuery
    from ..errors import NotFoundError

    try:
        store = context.store(must_exist=True)
    except NotFoundError:
        return None
    return frozenset(each.name for each in store.testcases(NameQuery(limit=_ALL)))
