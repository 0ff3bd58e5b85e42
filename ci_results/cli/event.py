"""`ci-results event`: say that something happened, so that results are expected."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from .caller import caller
from .context import Context, pass_context
from .output import next_command, plural, print_json, print_table, say

if TYPE_CHECKING:
    from ..decide.policy_set import PolicySet
    from ..domain.expectation import Expected
    from ..wire.validation import RefusedBody

MOST_BYTES = 32 * 1024 * 1024
_FEW = 5


@click.command()
@click.argument("file", metavar="FILE|-")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def event(context: Context, file: str, as_json: bool) -> None:
    """Say what happened, such as a build that is done: a JSON object or a list of them.

    What is expected since then is what the event names, else what policies ask of its subject; decisions
    tell it of what is missing. An event sent again changes nothing.
    """
    from ..errors import InvalidError
    from ..operations.events import EventDoor, take_events
    from ..serve.ci_v1.events import told
    from ..wire.events import read_events
    from ..wire.validation import RefusedBody

    who, policies = caller(context), policies_or_none(context)
    try:
        events = read_events(_read(file), policies.subject_types)
    except RefusedBody as err:
        raise InvalidError(_told(file, err)) from err
    who.check_permitted(name for each in events for name in each.testcases)
    door = EventDoor(store=context.store(), policies=policies, rules=context.config.events)
    taken = take_events(door, events, who.name)
    if as_json:
        print_json([told(each) for each in taken])
        return
    rows = [
        (each.subject_identifier, one.testcase, _late(one), one.owner or "")
        for each in taken
        for one in each.expected
    ]
    if rows:
        print_table(("SUBJECT", "EXPECTED", "DUE", "OWNER"), rows)
    new = sum(each.new for each in taken)
    expected = plural(len(rows), "result")
    say(f"{plural(new, 'event')} stored, {len(taken) - new} known already, {expected} expected")
    if not rows:
        say("no policy names testcases for that; name them in the event, or see: ci-results policy explain")
    subject = shlex.quote(taken[0].subject_identifier) if taken else "SUBJECT"
    next_command(f"ci-results decide {subject} --product-version VERSION --context GATE", "ci-results follow")


def policies_or_none(context: Context) -> PolicySet:
    """Return the policies in force, none where none is configured. Raises ConfigError."""
    from ..decide.policy_set import load
    from .gating import open_policies

    if context.config.gate.policies:
        return open_policies(context)
    return load([], context.plugins.rule_types)


def _told(file: str, err: RefusedBody) -> str:
    """Return what is wrong, a place each: "event.json: 3, time: must be ..."."""
    problems = [
        ": ".join(filter(None, (", ".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, "))))
        for each in err.problems
    ]
    more = f" (and {len(problems) - _FEW} more)" if len(problems) > _FEW else ""
    return f"{file}: {'; '.join(problems[:_FEW])}{more}; see: ci-results schema show NewEvents"


def _late(one: Expected) -> str:
    return "" if one.due is None else f"{one.due:%Y-%m-%dT%H:%M:%SZ}"


def _read(file: str) -> Any:
    """Return what a file says. Raises InvalidError."""
    import sys
    from pathlib import Path

    from ..errors import InvalidError
    from ..wire.body import Unparsable, parse

    try:
        raw = sys.stdin.buffer.read(MOST_BYTES + 1) if file == "-" else Path(file).read_bytes()
    except OSError as err:
        raise InvalidError(f"{file}: cannot be read: {err.strerror or err}") from err
    if len(raw) > MOST_BYTES:
        raise InvalidError(f"{file}: is longer than {MOST_BYTES} bytes: send fewer events at once")
    try:
        return parse(raw)
    except Unparsable as err:
        raise InvalidError(
            f"{file}: is no JSON: {err}; write one event as an object, several as a list"
        ) from err
