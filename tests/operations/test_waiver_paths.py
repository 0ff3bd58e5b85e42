"""A waiver outside its purpose, scope or time counts on no path that leads from a store to a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import load
from ci_results.domain.asked import Request
from ci_results.domain.decision import Decision
from ci_results.domain.page import Page
from ci_results.domain.purpose import Purpose
from ci_results.domain.subject import Subject
from ci_results.domain.tiers import Node, Tiers
from ci_results.domain.waiver import Act, Step, Terms, Turn
from ci_results.operations.bundling.gathering import Wanted, bundle
from ci_results.operations.gate import Gate, decide
from ci_results.operations.simulate import Replayed, simulate
from ci_results.operations.tiers import Asked, plan
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result
from ci_results.waive.covers import Setting, Target, covers

NOW = datetime.now(UTC)
POLICY = b"""\
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: ns.case}
"""
FILES = [("push.yaml", POLICY)]
POLICIES = load(FILES, {kind.name: kind for kind in RULE_TYPES})
WRONG: tuple[dict[str, Any], ...] = (
    {"subject_type": "compose"},
    {"subject": "bash-9-9.fc40"},
    {"testcase": "ns.other"},
    {"scenario": "bios"},
    {"arch": "s390x"},
    {"product_version": "fedora-41"},
    {"purpose": Purpose("advisory", "FEDORA-2026-5e4d3c2b1a")},
    {"purpose": Purpose("context", "else")},
    {"purpose": Purpose("product", "fedora-41")},
    {"purpose": Purpose("image", "ami-0123456789abcdef0")},
    {"expires_at": NOW},
    {"expires_at": NOW - timedelta(days=9)},
    {"waived": False},
    {"signatures": ("1-aa",)},
)
STEPS = (None, "pending", "rejected", "withdrawn")
numbers = count(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path_factory.mktemp("paths") / "r.db") as opened:
        yield opened


def waive(store: SqliteStore, terms: Terms, how: str | None = None) -> None:
    """Append a waiver that counts, or that is only asked for, rejected or withdrawn."""
    opens = None if how in ("pending", "rejected") else Turn.OPENS
    step = Step.GRANT if opens else Step.REQUEST
    act = Act(step=step, username="dev1", comment="infra", via="test", turn=opens, terms=terms)
    (event,) = store.waivers.append([act])
    if how in ("rejected", "withdrawn"):
        ends = Step.REJECT if how == "rejected" else Step.WITHDRAW
        closed = replace(act, step=ends, turn=Turn.CLOSES, terms=None, waiver=event.id)
        store.waivers.append([closed], {event.id: event.id})


def failed(store: SqliteStore) -> tuple[Subject, Terms]:
    """Store a failure of a new build; return it, and terms that waive it."""
    name = f"bash-5.2-{next(numbers)}.fc40"
    one = result(name, item=name, outcome="failed", note="boom", scenario="uefi", arch="x86_64")
    store.commit_page(Page(source="ci", results=[one]))
    terms = Terms(
        subject_type="koji_build", subject=name, testcase="ns.case", product_version="fedora-40",
        scenario="uefi", arch="x86_64",
    )  # fmt: skip
    return Subject("koji_build", name), terms


def decided(store: SqliteStore, subject: Subject) -> Decision:
    request = Request(
        subjects=(subject,), product_version="fedora-40", contexts=("push",),
        purposes=frozenset({Purpose("advisory", "FEDORA-2026-1a2b3c4d5e")}),
    )  # fmt: skip
    return decide(Gate(store=store, policies=POLICIES, now=lambda: NOW), request)


def verdicts(store: SqliteStore, subject: Subject, folder: Path) -> dict[str, str]:
    """Return what each path says of a build."""
    gate = Gate(store=store, policies=POLICIES, now=lambda: NOW)
    simulated = simulate(gate, POLICIES, [Replayed(subject, "fedora-40", "push", NOW)])
    ((_, after),) = simulated.verdicts
    tiers = Tiers({"bash": Node(1, (), subject)})
    (step,) = plan(gate, tiers, Asked(context="push", product_version="fedora-40"))
    wanted = Wanted(names=(subject.identifier,), purposes=frozenset())
    done = bundle(gate, wanted, FILES, folder / "e.sqlite")
    return {
        "gate": str(decided(store, subject).verdict),
        "simulate": str(after),
        "tiers": str(step.verdict),
        "bundle": done.verdicts[0][3],
        "listing": "go" if any_covers(store, subject) else "no-go",
    }


def any_covers(store: SqliteStore, subject: Subject) -> bool:
    """Say whether of what the store lists as active something covers the failure: what the APIs do."""
    seq = store.waivers.seq()
    (one,) = [each for each in decided(store, subject).requirements if each.result is not None]
    assert one.result is not None
    target = Target(
        subject_type=subject.type, subject=subject.identifier, testcase="ns.case", scenario="uefi",
        arch="x86_64", outcome="FAILED", signature=one.result.signature,
    )  # fmt: skip
    setting = Setting(product_version="fedora-40", decision_context="push", seq=seq, now=NOW)
    active = store.waivers.active([subject.identifier], None, seq, NOW)
    return any(covers(each, target, setting).covered for each in active)


bounded = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@bounded
@given(st.sampled_from(WRONG), st.lists(st.sampled_from(WRONG), max_size=2), st.sampled_from(STEPS))
@pytest.mark.demand("S-066", "S-067", "S-068", "S-069")
def test_a_waiver_out_of_its_purpose_scope_or_time_counts_on_no_path(
    store: SqliteStore,
    tmp_path_factory: pytest.TempPathFactory,
    wrong: dict[str, Any],
    more: list[dict[str, Any]],
    how: str | None,
) -> None:
    subject, good = failed(store)
    terms = good
    for each in (*more, wrong):
        terms = replace(terms, **each)
    waive(store, terms, how)
    told = verdicts(store, subject, tmp_path_factory.mktemp("e"))
    assert set(told.values()) == {"no-go"}, (terms, told)
    assert all(each.waiver is None for each in decided(store, subject).requirements)


@pytest.mark.parametrize("how", STEPS[1:])
def test_one_that_nobody_approved_or_that_was_taken_back_counts_on_no_path(
    store: SqliteStore, tmp_path: Path, how: str
) -> None:
    subject, good = failed(store)
    waive(store, good, how)
    assert set(verdicts(store, subject, tmp_path).values()) == {"no-go"}


@pytest.mark.parametrize(
    "more",
    [
        {}, {"scenario": None, "arch": None}, {"purpose": Purpose("context", "push")},
        {"purpose": Purpose("product", "fedora-40")}, {"expires_at": NOW + timedelta(seconds=1)},
        {"signatures": ("1-aa",), "lenient": True},
    ],
)  # fmt: skip
def test_one_that_is_for_it_counts_on_every_path(
    store: SqliteStore, tmp_path: Path, more: dict[str, Any]
) -> None:
    subject, good = failed(store)
    waive(store, replace(good, **more))
    assert set(verdicts(store, subject, tmp_path).values()) == {"go"}


def test_one_for_an_advisory_counts_in_decisions_about_it_alone(store: SqliteStore, tmp_path: Path) -> None:
    subject, good = failed(store)
    waive(store, replace(good, purpose=Purpose("advisory", "FEDORA-2026-1a2b3c4d5e")))
    told = verdicts(store, subject, tmp_path)
    assert told.pop("gate") == "go"  # which is asked for that advisory; the others are not
    assert set(told.values()) == {"no-go"}
