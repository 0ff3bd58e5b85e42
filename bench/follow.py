"""Following: what a recorded decision costs, beside reading its facts and judging them.

    python bench/follow.py [--subjects 300] [--rules 10] [--rounds 3]

A store has results for many subjects. `read and judge` asks for each as a person would; `follow, all new`
records a first decision for each; `follow, nothing changes` looks at a further result of each that says the
same; `follow, each changes` at one that fails. On SQLite, each in a process of its own; CPU seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measure import Figures, compare, one_run, print_table

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import load
from ci_results.domain.asked import Request
from ci_results.domain.observation import Observation
from ci_results.domain.page import Page
from ci_results.domain.subject import Subject
from ci_results.normalise.normaliser import Normaliser
from ci_results.operations.follow import Following, follow_once
from ci_results.operations.gate import Gate, decide
from ci_results.store.sqlite import SqliteStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def build(folder: str, rules: int) -> Gate:
    """Make an empty store and its policies."""
    wanted = "".join(f"- !PassingTestCaseRule {{test_case_name: team.case_{n}}}\n" for n in range(rules))
    head = "id: p\nproduct_versions: [fedora-*]\ndecision_context: push\nsubject_type: koji_build\nrules:\n"
    policies = load([("p.yaml", (head + wanted).encode())], {kind.name: kind for kind in RULE_TYPES})
    store = SqliteStore.open(Path(folder) / "results.db")
    return Gate(store=store, policies=policies, now=lambda: NOON + timedelta(days=1))


def name(number: int) -> str:
    """Return the subject of that number."""
    return f"pkg{number}-1-1.fc40"


def fill(gate: Gate, subjects: int, rules: int, outcome: str = "passed", hours: int = 0) -> None:
    """Store a result of each of so many testcases for each subject, a page a hundred subjects."""
    normalise = Normaliser("ci", {"passed": "PASSED", "failed": "FAILED"})  # type: ignore[dict-item]
    for start in range(0, subjects, 100):
        page = [
            normalise(
                Observation(
                    key=f"{hours}-{number}-{rule}", testcase=f"team.case_{rule}", outcome=outcome,
                    item=name(number), item_type="koji_build", time=NOON + timedelta(hours=hours),
                )
            )
            for number in range(start, min(start + 100, subjects))
            for rule in range(rules)
        ]  # fmt: skip
        gate.store.commit_page(Page(source="ci", results=page))


def asked(gate: Gate, subjects: int) -> int:
    """Read the facts of each subject and judge them."""
    for number in range(subjects):
        only = (Subject("koji_build", name(number)),)
        decide(gate, Request(subjects=only, product_version="fedora-40", contexts=("push",)))
    return subjects


def followed(gate: Gate, subjects: int) -> int:
    """Let a follower look at what is new."""
    done = follow_once(Following(gate=lambda: gate))
    assert done.judged == subjects, done
    return done.recorded


PARTS: dict[str, tuple[str | None, Callable[[Gate, int], int]]] = {
    "read and judge": (None, asked),
    "follow, all new": (None, followed),
    "follow, nothing changes": ("passed", followed),
    "follow, each changes": ("failed", followed),
}


def measured(part: str, subjects: int, rules: int) -> Figures:
    """Return what one candidate took for each subject."""
    later, work = PARTS[part]
    with tempfile.TemporaryDirectory() as folder:
        gate = build(folder, rules)
        fill(gate, subjects, rules)
        if later is not None:
            follow_once(Following(gate=lambda: gate))
            fill(gate, subjects, 1, later, hours=1)
        began, cpu = time.perf_counter(), time.process_time()
        recorded = work(gate, subjects)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - began
        gate.store.close()
    return {"ms": cpu * 1e3 / subjects, "a_second": subjects / wall, "recorded": float(recorded)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=300)
    parser.add_argument("--rules", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=PARTS)
    given = parser.parse_args()
    if given.one:
        one_run(lambda: measured(given.one, given.subjects, given.rules))
        return
    sizes = [f"--{name}={getattr(given, name)}" for name in ("subjects", "rules")]
    figures = compare(__file__, list(PARTS), sizes, given.rounds)
    ours = figures["read and judge"]["ms"]
    rows = [(name, each["ms"], each["a_second"], each["ms"] / ours) for name, each in figures.items()]
    print_table(
        f"{given.subjects} subjects x {given.rules} rules, {given.rounds} rounds",
        ("", "ms of CPU a decision", "decisions a second", "against read and judge"),
        rows,
    )


if __name__ == "__main__":
    main()
