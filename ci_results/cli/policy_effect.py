"""`ci-results policy simulate` and `promote`: what other policies would decide, before they do."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .context import Context, pass_context
from .exits import DONE, NO, PARTLY
from .gating import open_gate
from .output import next_command, plural, print_json, print_table, printable, say
from .progress import shown_bars
from .result import since as since_

if TYPE_CHECKING:
    from ..decide.policy_set import PolicySet
    from ..operations.gate import Gate
    from ..operations.promote import Candidate
    from ..operations.simulate import Effect, Flip, Simulated

_FROM_DECISIONS, _FROM_RESULTS = "recorded decisions", "items with results"
_SHOWN = 20
_LARGEST = 10

_since = click.option(
    "--since", type=since_, metavar="TIME|AGE", default="90d", show_default=True,
    help="Items tested since then: 2026-01-02T03:04 (UTC), 36h, 90d.",
)  # fmt: skip
_version = click.option(
    "--product-version", help="Of items whose names do not tell theirs; without it they are left out."
)
_context = click.option("--context", "contexts", metavar="NAME", multiple=True, help="Only these gates.")
_most = click.option(
    "--most", type=click.IntRange(min=0), default=1_000, show_default=True, help="So many flips are listed."
)


@click.command("simulate")
@click.argument("new", metavar="NEW...", nargs=-1, required=True, type=click.Path(path_type=Path))
@_since
@_version
@_context
@_most
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def simulate_(
    context: Context,
    new: tuple[Path, ...],
    since: datetime,
    product_version: str | None,
    contexts: tuple[str, ...],
    most: int,
    as_json: bool,
) -> None:
    """Decide by NEW, files or folders of policies, what was decided lately, and list what flips.

    That is what `follow` has recorded; where there is none, all items with results since then.

    NEW is the whole set that would be in force. Both sets are judged by the same facts, those of now:
    waivers and results that came later count for both.

    Exit codes: 0 nothing flips, 1 what may pass now would be stopped, 2 something else flips.
    """
    from ..decide.policy_set import load
    from ..operations.gate import read_files
    from ..testing.policy_trials import policies_in

    gate = open_gate(context)
    files = [file for path in new for file in policies_in(path)]
    candidate = load(read_files(files), context.plugins.rule_types, settings=gate.policies.settings)
    found = _simulated(gate, candidate, since, product_version, contexts, most)
    if as_json:
        print_json(_json(found, since))
    else:
        _tell(found, since)
    click.get_current_context().exit(_code(found))


@click.command("promote")
@click.argument("testcases", metavar="[TESTCASE]...", nargs=-1)
@click.option("--passed", type=click.IntRange(min=1), default=19, show_default=True)
@click.option(
    "--of", "last", type=click.IntRange(min=1), default=20, show_default=True,
    help="So many of the last finished results of a testcase must have passed, over all items.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show the effect and the change, and write nothing.")
@_since
@_version
@_context
@_most
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def promote_(
    context: Context,
    testcases: tuple[str, ...],
    passed: int,
    last: int,
    dry_run: bool,
    since: datetime,
    product_version: str | None,
    contexts: tuple[str, ...],
    most: int,
    as_json: bool,
) -> None:
    """Require what an !ExperimentalRule only watches, where it has proved itself; TESTCASEs: only those.

    Shows what would have been stopped, and the change of the files, whose comments stay; then writes them,
    each at once.

    Exit codes: 0 done (or would be), 1 nothing is ready.
    """
    from ..operations.gate import policy_files, read_files
    from ..operations.promote import candidates, changed_set, changes

    if passed > last:
        raise click.UsageError(f"--passed {passed} of {last}: cannot be more than all")
    gate = open_gate(context)
    policies, store = gate.policies, gate.store
    found = candidates(store, policies, testcases, passed=passed, last=last)
    ready = [each.watched for each in found if each.ready]
    made = changes(policies, ready)
    files = list(read_files(policy_files(context.config.gate.policies, context.config.folder)))
    candidate = changed_set(policies, files, made)
    effect = _simulated(gate, candidate, since, product_version, contexts, most)
    if not dry_run:
        for each in made:
            each.write()
    if as_json:
        print_json({
            "candidates": [_candidate(each) for each in found],
            "changes": [{"file": str(each.file), "diff": each.diff()} for each in made],
            "written": bool(made) and not dry_run,
            "effect": _json(effect, since),
        })  # fmt: skip
    else:
        _tell_candidates(found)
        if made:
            _tell(effect, since)
            for each in made:
                click.echo()
                click.echo("".join(map(_line, each.diff().splitlines(keepends=True))), nl=False)
            _end(len(ready), dry_run)
        elif not found:
            say("no !ExperimentalRule is about that")
            next_command("ci-results policy explain --product-version VERSION")
    click.get_current_context().exit(DONE if made else NO)


def _end(count: int, dry_run: bool) -> None:
    if dry_run:
        say(f"{plural(count, 'rule')} would be required; nothing was written")
        next_command("the same without --dry-run")
    else:
        say(f"{plural(count, 'rule')} required from now on")
        next_command("ci-results policy test", "ci-results policy lint")


def _simulated(
    gate: Gate,
    candidate: PolicySet,
    since: datetime,
    product_version: str | None,
    contexts: tuple[str, ...],
    most: int,
) -> Simulated:
    from itertools import chain

    from ..operations.simulate import Simulated, lately_decided, lately_tested, simulate

    found = Simulated(source=_FROM_DECISIONS)
    replayed = lately_decided(gate.store, since, contexts=contexts, counted=found)
    first = next(replayed, None)
    if first is not None:
        replayed = chain([first], replayed)
    else:  # nobody followed: take what was tested, at each gate that there is for it
        found.source = _FROM_RESULTS
        replayed = lately_tested(
            gate.store, (gate.policies, candidate), since,
            product_version=product_version, contexts=contexts, counted=found,
        )  # fmt: skip
    with shown_bars(["replay"]) as draw:

        def told(so_far: Simulated) -> None:
            if so_far.replayed % 20 == 0:
                flips = sum(so_far.effect)
                draw("replay", so_far.replayed, None, f"{so_far.replayed} decisions, {flips} flip", "")

        return simulate(gate, candidate, replayed, most=most, counted=found, told=told)


def _code(found: Simulated) -> int:
    if found.effect.closes:
        return NO
    return PARTLY if any(found.effect) else DONE


def _tell(found: Simulated, since: datetime) -> None:
    effect = found.effect
    for flip in found.flips[:_SHOWN]:
        each = flip.replayed
        gate = f"{each.context} of {each.product_version}"
        click.echo(printable(f"{flip.before} -> {flip.after}  {each.subject.identifier}  {gate}"))
        for why in flip.because:
            click.echo(f"  {printable(why)}")
    if len(found.flips) > _SHOWN:
        say(f"and {sum(effect) - _SHOWN} more; --json lists them")
    for title, counts in (("component", found.by_component), ("owner", found.by_owner)):
        if counts:
            click.echo()
            largest = sorted(counts.items(), key=lambda one: (-sum(one[1]), one[0]))[:_LARGEST]
            print_table(
                (title, "closes", "opens", "else"),
                [(name or "(not known)", *map(str, each)) for name, each in largest],
            )
    say(
        f"decided again: {plural(found.replayed, 'decision')} about {plural(found.items, 'item')}, "
        f"which are the {found.source} since {since:%Y-%m-%d %H:%M} UTC, by the facts of now; "
        f"{effect.closes} would close, {effect.opens} would open, {effect.others} change otherwise"
    )
    if found.without_version:
        left = plural(found.without_version, "item")
        say(f"{left} left out, whose product version nothing tells; name it: --product-version")


def _json(found: Simulated, since: datetime) -> dict[str, Any]:
    return {
        "from": found.source,
        "since": since,
        "items": found.items,
        "without_version": found.without_version,
        "decisions": found.replayed,
        "effect": found.effect._asdict(),
        "by_component": [_counts(name, each) for name, each in sorted(found.by_component.items())],
        "by_owner": [_counts(name or None, each) for name, each in sorted(found.by_owner.items())],
        "flips": [_flip(each) for each in found.flips],
    }


def _counts(name: str | None, effect: Effect) -> dict[str, Any]:
    return {"name": name, **effect._asdict()}


def _flip(flip: Flip) -> dict[str, Any]:
    each = flip.replayed
    return {
        "subject_type": each.subject.type,
        "subject_identifier": each.subject.identifier,
        "product_version": each.product_version,
        "decision_context": each.context,
        "tested": each.time,
        "component": flip.component,
        "owners": list(flip.owners),
        "before": str(flip.before),
        "after": str(flip.after),
        "because": list(flip.because),
    }


def _candidate(each: Candidate) -> dict[str, Any]:
    place = each.watched.rule.place
    return {
        "file": place.file,
        "line": place.line,
        "policy": each.watched.policy.id,
        "rule": each.watched.rule.type.name,
        "testcases": list(each.watched.testcases),
        "records": [record._asdict() for record in each.records],
        "ready": each.ready,
        "why_not": each.why_not,
    }


def _tell_candidates(found: list[Candidate]) -> None:
    print_table(
        ("where", "policy", "testcases", "passed", "ready"),
        [
            (
                str(each.watched.rule.place), each.watched.policy.id, " ".join(each.watched.testcases),
                " ".join(f"{one.passed}/{one.done}" for one in each.records), each.why_not or "yes",
            )
            for each in found
        ],
    )  # fmt: skip


def _line(line: str) -> str:
    shown = printable(line.rstrip("\r\n"))
    colours = {"+": "green", "-": "red"}
    return click.style(shown, fg=colours.get(line[:1])) + "\n"
