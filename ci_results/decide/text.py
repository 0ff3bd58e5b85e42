"""Tell a decision to a person at a terminal: a state a line, and what would open the gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from ..domain.decision import Decision, GateProgress, Opening, Requirement, State, Verdict
from ..domain.facts import Evidence, Expectation
from ..domain.waiver import Waiver

_WIDTH = 10
_VERDICTS = {
    Verdict.GO: "GO",
    Verdict.NO_GO: "NO-GO",
    Verdict.WAIT: "WAIT",
    Verdict.ERROR: "ERROR",
    Verdict.NO_POLICY: "NO POLICY",
}
_FEW = 3


def tell(
    decision: Decision,
    waive: Callable[[Requirement], str | None] | None = None,
    *,
    verbose: bool = False,
) -> str:
    """Return the text, lines without colours.

    waive    from a requirement to the command that waives it, which is then shown; None: it cannot be waived
    verbose  show what passed, too
    """
    return "".join(f"{_printable(line)}\n" for line in _lines(decision, waive, verbose))


def _printable(line: str) -> str:
    """Take out what would move a terminal's cursor: names and words of others stand in here."""
    return line if line.isprintable() else "".join(one if one.isprintable() else "\ufffd" for one in line)


def _lines(
    decision: Decision, waive: Callable[[Requirement], str | None] | None, verbose: bool
) -> Iterator[str]:
    request = decision.request
    asked = ", ".join(request.contexts) or "the rules of the request"
    for_what = "".join(f" for {purpose}" for purpose in sorted(map(str, request.purposes)))
    yield f"{_VERDICTS[decision.verdict]}: {asked} of {request.product_version}{for_what}"
    yield told_progress(decision.progress)
    several = len(decision.subjects) > 1
    for each in decision.subjects:
        if several or each.verdict is Verdict.NO_POLICY:
            yield ""
            yield f"{_VERDICTS[each.verdict]}: {each.subject}"
        if each.verdict is Verdict.NO_POLICY:
            yield f"  no policy is for {each.subject.type} in {asked} of {request.product_version}"
        yield from _requirements(each.requirements, decision.now, waive, verbose)
    yield from _openings(decision.openings)
    yield ""
    yield f"as of commit {decision.as_of}, {_time(decision.now)}; policies {decision.digest[:19]}"


def told_progress(progress: GateProgress) -> str:
    """Return how far required tests are: "1 of 2 done (50 %): 1 passed, 1 missing"."""
    if not progress.required:
        return "nothing is required"
    counted = [
        f"{count} {word}"
        for word, count in progress._asdict().items()
        if word not in ("required", "done") and count
    ]
    done = f"{progress.done} of {progress.required} done ({progress.percent:g} %)"
    return f"{done}: {', '.join(counted)}" if counted else done


def _requirements(
    requirements: tuple[Requirement, ...],
    now: datetime,
    waive: Callable[[Requirement], str | None] | None,
    verbose: bool,
) -> Iterator[str]:
    for each in requirements:
        plain = each.state is State.PASSED and each.blocking and not any(part.waiver for part in each.parts)
        if verbose or not plain:
            yield from _requirement(each, now, waive, "  ", verbose)


def _requirement(
    each: Requirement,
    now: datetime,
    waive: Callable[[Requirement], str | None] | None,
    indent: str,
    verbose: bool,
) -> Iterator[str]:
    word = "waived" if each.waived else str(each.state)
    name = named(each)
    words = each.said or ("no evidence" if each.state is State.MISSING else None)
    said = f": {words}" if words else ""
    informs = "" if each.blocking else " (only informs)"
    yield f"{indent}{word:<{_WIDTH - 1}} {name}{informs}{said}"
    inner = indent + " " * _WIDTH
    if each.result is not None:
        yield inner + _result(each.result, now)
    if each.state in (State.MISSING, State.WAITING) and each.expected is not None:
        yield inner + _expected(each.expected, now)
    if each.waiver is not None:
        yield f"{inner}{each.state}, and waived: {_waiver(each.waiver)}"
    for _, why in each.refused:
        yield f"{inner}not waived: {why}"
    owner = f"; owner {each.owner}" if each.owner else ""
    yield f"{inner}required by {each.place} (policy {each.policy.id or 'untitled'}){owner}"
    if not each.satisfied and each.blocking and not each.parts and waive is not None:
        command = waive(each)
        if command is not None:
            yield f"{inner}waive it: {command}"
    for part in each.parts:
        if verbose or not part.satisfied or part.waiver is not None:
            yield from _requirement(part, now, waive, inner, verbose)


def named(each: Requirement) -> str:
    """Return what a requirement is called: "baseos.tier1 (uefi, aarch64)"."""
    result = each.result
    about = [each.scenario] if result is None else [result.scenario, result.arch, result.variant]
    several = ", ".join(word for word in about if word)
    return f"{each.testcase} ({several})" if several else each.testcase


def _result(result: Evidence, now: datetime) -> str:
    build = f", {result.build_url}" if result.build_url else ""
    message = f", message {result.message_id}" if result.message_id else ""
    copied = ", a copy of what another system had" if result.imported else ""
    return f"result {result.id} {result.outcome}, {_ago(result.time, now)}{copied}{build}{message}"


def _expected(expected: Expectation, now: datetime) -> str:
    since, due, event, _ = expected
    told = f"expected since {_time(since)}, {_ago(since, now)}"
    if event:
        told += f", by {event}"
    if due is not None:
        told += f"; overdue since {_time(due)}" if expected.overdue(now) else f"; due {_time(due)}"
    return told


def _waiver(waiver: Waiver) -> str:
    by = f"by {waiver.username}" + (f" through {waiver.proxied_by}" if waiver.proxied_by else "")
    approved = f", approved by {', '.join(waiver.approved_by)}" if waiver.approved_by else ""
    purpose = f", for {waiver.terms.purpose}" if waiver.terms.purpose else ""
    until = f", until {_time(waiver.expires_at)}" if waiver.expires_at else ""
    return f"{waiver.name} {by}{approved}{purpose}{until}: {' '.join(waiver.comment.split())}"


def _openings(openings: tuple[Opening, ...]) -> Iterator[str]:
    if not openings:
        return
    yield ""
    yield "opens if"
    for number, opening in enumerate(openings):
        joint = "  and " if number else "  "
        yield joint + told_opening(opening)


def told_opening(opening: Opening) -> str:
    """Return one thing that must happen: "2 of a.b, a.c, a.d pass or are waived"."""
    names = [named(each) for each in opening.of]
    if len(names) == 1:
        return f"{names[0]} {_passes(opening.of[0])}"
    shown = ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")
    return f"{opening.needed} of {shown} pass or are waived"


def _passes(each: Requirement) -> str:
    if each.state is State.FILE_INVALID:
        return "is put right or is waived"
    if each.state in (State.FILE_MISSING, State.FILE_UNREACHED):
        return "is no more (the file can be fetched) or is waived"
    if each.state is State.WAITING:
        return "passes"  # what runs is not waived
    return "can be told or is waived" if each.state is State.UNKNOWN else "passes or is waived"


def _ago(then: datetime, now: datetime) -> str:
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 0:
        return f"at {_time(then)}"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 60 * 48 else f"{minutes // (60 * 24)} d ago"


def _time(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
