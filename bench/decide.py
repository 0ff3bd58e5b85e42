"""Decisions: what judging costs a requirement, beside a bare loop over the same facts.

    python bench/decide.py [--subjects 500] [--rules 20] [--policies 5000] [--rounds 5]

One request for many subjects, each with as many results as rules; one in twenty failed, half of those are
waived. Layers are measured one on the other: to judge alone, with the answer in JSON, with the questions.
Each candidate is a function in PARTS; what comes later (the store's reading, HTTP) is added there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from measure import Figures, compare, one_run, print_table

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.judge import judge, questions
from ci_results.decide.policy_set import PolicySet, load
from ci_results.domain.asked import Request
from ci_results.domain.facts import Evidence, Facts
from ci_results.domain.subject import Subject
from ci_results.domain.waiver import Act, Step, Terms, Turn, Waiver, WaiverEvent
from ci_results.wire.decision_json import decision as told
from ci_results.wire.greenwave_answer import answer
from ci_results.wire.resultsdb_json import dump

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LEAST_S = 0.5
"""How long a candidate is repeated at least."""


@dataclass(frozen=True)
class World:
    """The policies, the request, and what the store would have read."""

    policies: PolicySet
    request: Request
    facts: Facts
    requirements: int


def world(subjects: int, rules: int, policies: int) -> World:
    """Make policies of which one is for the request, and facts for all of its subjects."""
    wanted = "".join(f"- !PassingTestCaseRule {{test_case_name: team.case_{n}}}\n" for n in range(rules))
    head = (
        "id: p{0}\nproduct_versions: [fedora-{1}]\ndecision_context: push\nsubject_type: koji_build\nrules:"
    )
    files = [
        (f"p{n}.yaml", (head.format(n, 40 + n) + (" []" if n else f"\n{wanted}")).encode())
        for n in range(policies)
    ]
    asked = tuple(Subject("koji_build", f"pkg{n}-1-{n}.fc40") for n in range(subjects))
    latest: dict[Subject, dict[str, list[Evidence]]] = {}
    waivers: dict[Subject, list[Waiver]] = {}
    number = 0
    for subject in asked:
        latest[subject] = {}
        for n in range(rules):
            number += 1
            failed = number % 20 == 0
            data = {"item": [subject.identifier], "type": ["koji_build"], "scenario": ["bios"]}
            found = Evidence(
                number, f"team.case_{n}", "FAILED" if failed else "PASSED", NOW, "bios", data=data
            )
            latest[subject][found.testcase] = [found]
            if number % 40 == 0:
                waivers.setdefault(subject, []).append(waiver(number, subject, found.testcase))
    return World(
        policies=load(files, {kind.name: kind for kind in RULE_TYPES}),
        request=Request(subjects=asked, product_version="fedora-40", contexts=("push",)),
        facts=Facts(as_of=10, now=NOW, latest=latest, waivers=waivers),
        requirements=number,
    )


def waiver(number: int, subject: Subject, testcase: str) -> Waiver:
    """Return a waiver that counts."""
    terms = Terms(
        subject_type=subject.type, subject=subject.identifier, testcase=testcase, product_version="fedora-40"
    )
    act = Act(step=Step.GRANT, username="rm", comment="infra", via="cli", turn=Turn.OPENS, terms=terms)
    event = WaiverEvent(id=number, seq=1, time=NOW, act=act, hash="")
    return Waiver(id=number, terms=terms, first=event, opened=event, last=number)


def bare(here: World) -> int:
    """Look each result up and at its outcome, and note what failed: what any judging costs in Python."""
    found = []
    (policy,) = here.policies.applicable(
        here.policies.subject_types.find("koji_build"), ("push",), "fedora-40"
    )
    names = [rule.options.test_case_name for rule in policy.rules]
    for subject in here.request.subjects:
        latest = here.facts.latest[subject]
        for name in names:
            for result in latest[name]:
                found.append((result.outcome == "PASSED", name, subject, result))
    return len(found)


def judged(here: World) -> int:
    """Judge alone."""
    return sum(1 for _ in judge(here.policies, here.request, here.facts).requirements)


def answered(here: World) -> int:
    """Judge, and tell it as Greenwave does, to the bytes."""
    decision = judge(here.policies, here.request, here.facts)
    return len(dump(answer(decision, here.policies.subject_types)))


def proved(here: World) -> int:
    """Judge, and tell the whole proof in our JSON, to the bytes."""
    return len(dump(told(judge(here.policies, here.request, here.facts))))


def asked(here: World) -> int:
    """Say what the store must read."""
    return len(questions(here.policies, here.request).latest)


PARTS: dict[str, Callable[[World], int]] = {
    "a bare loop": bare,
    "questions": asked,
    "judge alone": judged,
    "judge, Greenwave's answer": answered,
    "judge, whole proof": proved,
}


def repeated(work: Callable[[World], int], here: World) -> Figures:
    """Repeat for a while; return microseconds of CPU a requirement and seconds a request."""
    work(here)
    began, times = time.process_time(), 0
    while time.process_time() - began < LEAST_S:
        work(here)
        times += 1
    took = (time.process_time() - began) / times
    return {"us": took * 1e6 / here.requirements, "request_ms": took * 1e3, "cpu": took, "wall": took}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=500)
    parser.add_argument("--rules", type=int, default=20)
    parser.add_argument("--policies", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", choices=PARTS)
    given = parser.parse_args()
    if given.one:
        here = world(given.subjects, given.rules, given.policies)
        one_run(lambda: repeated(PARTS[given.one], here))
        return
    sizes = [f"--{name}={getattr(given, name)}" for name in ("subjects", "rules", "policies")]
    figures = compare(__file__, list(PARTS), sizes, given.rounds)
    ours = figures["judge alone"]["us"]
    rows = [(name, each["us"], each["request_ms"], each["us"] / ours) for name, each in figures.items()]
    print_table(
        f"{given.subjects} subjects x {given.rules} rules, {given.policies} policies, {given.rounds} rounds",
        ("", "us a requirement", "ms a request", "against judge alone"),
        rows,
    )


if __name__ == "__main__":
    main()
