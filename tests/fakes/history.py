"""A history of everything that a store takes, as a seed decides: results, waivers, decisions."""

from __future__ import annotations

import hashlib
import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ci_results.domain.bus_message import BusMessage
from ci_results.domain.garbled import Garbled
from ci_results.domain.page import Page
from ci_results.domain.plan import Plan, PlanCase
from ci_results.domain.pruning import Criteria, Order
from ci_results.domain.recorded import GatingPoint, RecordedDecision
from ci_results.domain.result import Result
from ci_results.domain.run import Run
from ci_results.domain.subject import Subject
from ci_results.store.protocol import Store
from ci_results.testing.decision_rules import SINCE, awaited
from ci_results.testing.store_contract import NOON, result
from ci_results.testing.waiver_contract import any_acts

WORDS = ("passed", "failed", "running", "info", "error")
TEXTS = ("", "plain", "ž \U0001f600", "line\nline", '"quoted" \\u0000', "<x>&")
URLS = (None, "https://ci.example/1", "https://ci.example/2")


def live(store: Store, seed: int, steps: int) -> None:
    """Let a store live through so many steps."""
    lot = random.Random(seed)
    for _ in range(steps):
        lot.choice(STEPS)(store, lot)


def _results(store: Store, lot: random.Random) -> None:
    source = lot.choice(("ci", "bus"))
    made = [_result(lot, source) for _ in range(lot.randrange(1, 6))]
    groups: dict[str, dict[str, str | None]] = {}
    if lot.random() < 0.3:
        groups = {"u1": {"description": lot.choice(TEXTS)}, "u9": {}}
    urls = {"ns.case": lot.choice(URLS)} if lot.random() < 0.3 else {}
    store.commit_page(
        Page(
            source=source, results=made, door=lot.choice(("harvest", "api")), groups=groups, ref_urls=urls,
            testcases=["ns.never"] if lot.random() < 0.1 else (),
            quarantine=_bad(lot) if lot.random() < 0.2 else (),
        )
    )  # fmt: skip


def _result(lot: random.Random, source: str) -> Result:
    key = lot.choice(("k1", "k2", "k3"))
    number = lot.randrange(3)
    run = lot.choice(
        (None, Run(key=f"job#{number}", ref_url=lot.choice(URLS), data={"job": "job", "n": ("1", "2")}))
    )
    made = result(
        key,
        source=source,
        outcome=lot.choice(WORDS),
        time=lot.choice((None, NOON, NOON + timedelta(hours=lot.randrange(4)), NOON.replace(year=2199))),
        run=run,
        note=lot.choice((None, *TEXTS)),
        ref_url=lot.choice(URLS),
        testcase=lot.choice(("ns.case", "ns.other")),
        item=lot.choice(("bash-5.2-1.fc40", "zsh-5.9-1.fc40")),
        scenario=lot.choice((None, "uefi")),
        arch=lot.choice((None, "s390x")),
        duration_s=lot.choice((None, 0.1, 12.0)),
        data=lot.choice(({}, {"extra": "x"}, {"many": ("a", "b", "a")})),
    )
    groups = lot.choice(((), ("u1",), ("u2", "u1")))
    if lot.random() < 0.3:  # as ResultsDB's API takes it: with or without an item among its attributes
        said: dict[str, tuple[str, ...]] = lot.choice(
            ({}, {"item": ("odd", "odder")}, {"item": (made.item,)})
        )
        return replace(made, groups=groups, verbatim=True, data={"extra": ("x",), **said})
    return replace(made, groups=groups)


def _bad(lot: random.Random) -> list[Garbled]:
    raw = lot.choice((b"\x00\xff", b"<x", b""))
    return [
        Garbled(raw=raw, reason=lot.choice(("no XML", "torn")), key=lot.choice((None, "k")), position="l 1")
    ]


def _message(store: Store, lot: random.Random) -> None:
    raw = bytes(lot.choices(b"abc", k=3))
    results = [_result(lot, "bus") for _ in range(lot.randrange(3))]
    message = BusMessage(
        key=f"m{lot.randrange(6)}", topic="org.example.ci", mapping=f"ci_messages@{lot.randrange(1, 3)}",
        transport=lot.choice(("fedora", "umb")), results=len(results),
        raw=lot.choice((None, zlib.compress(raw))), again=lot.random() < 0.3,
        digest=hashlib.sha256(raw).hexdigest(), size=len(raw), told='{"topic": "t"}',
    )  # fmt: skip
    store.commit_page(Page(source="bus", door="message", results=results, messages=[message]))


def _waivers(store: Store, lot: random.Random) -> None:
    store.waivers.append(any_acts(lot, store.waivers))


def _decision(store: Store, lot: random.Random) -> None:
    point = GatingPoint(Subject("koji_build", lot.choice(("bash-5", "zsh-5"))), "fedora-40", "push")
    before = store.decisions.history(point, limit=1)
    answer: dict[str, Any] = {
        "policies_satisfied": False, "summary": lot.choice(TEXTS), "applicable_policies": ["p"],
        "satisfied_requirements": [{"type": "test-result-passed", "result_id": 1}],
        "unsatisfied_requirements": [], "expected": [], "subject": [{"item": "bash-5", "type": "koji_build"}],
    }  # fmt: skip
    one = RecordedDecision(
        point=point, number=before[0].number + 1 if before else 1,
        verdict=lot.choice(("go", "no-go", "wait")),
        old_verdict=before[0].verdict if before else None, satisfied=lot.random() < 0.5, summary="of 1 test",
        at=NOON, as_of=store.waivers.seq(), cause={"results": 1, "testcase": "ns.case"}, digest="sha256:1",
        answer=answer, proof={"z": [1.5, None], "a": {"ž": "<"}},
    )  # fmt: skip
    state = store.decisions.begin()
    store.decisions.record(state, state.position, "sha256:1", [one])


def _event(store: Store, lot: random.Random) -> None:
    number = lot.randrange(9)
    store.save_events([awaited(f"build-{number}", time=SINCE + timedelta(hours=number))])


def _plan(store: Store, lot: random.Random) -> None:
    cases = tuple(
        PlanCase(testcase=f"desktop.{n}", title=lot.choice(TEXTS[1:2])) for n in range(lot.randrange(1, 3))
    )
    plan = Plan(name="beta", item_type="compose", item="Fedora-44-*", cases=cases)
    versions = store.plan_versions("beta", limit=1)
    store.save_plan(plan, "jdoe", before=versions[0].version if versions else 0)


def _quarantine(store: Store, lot: random.Random) -> None:
    store.commit_page(Page(source="ci", quarantine=_bad(lot)))


def _close(store: Store, lot: random.Random) -> None:
    records = store.quarantined(limit=5)
    if records:
        store.resolve(lot.choice(records).id, lot.choice(("stored 1 result", "dismissed: ž")))


def _describe(store: Store, lot: random.Random) -> None:
    said: dict[str, str | None] = lot.choice(({}, {"description": "nightly"}, {"ref_url": lot.choice(URLS)}))
    store.commit_page(
        Page(
            source="api", door="api", groups={lot.choice(("u1", "u3")): said},
            ref_urls={"ns.case": lot.choice(URLS)}, testcases=["ns.named"],
        )
    )  # fmt: skip


def _prune(store: Store, lot: random.Random) -> None:
    before = NOON + timedelta(hours=lot.randrange(5), microseconds=1)
    criteria = Criteria(
        before=before if lot.random() < 0.8 else before.replace(year=2999),
        source=lot.choice((None, "ci", "bus")), testcase=lot.choice((None, None, "ns.o*")),
        all_states=lot.random() < 0.5,
    )  # fmt: skip
    list(store.pruning.prune(criteria, Order(username="jdoe", comment="old: ž", begun=NOON)))


STEPS: tuple[Callable[[Store, random.Random], None], ...] = (
    _results, _results, _results, _message, _waivers, _decision, _event, _plan, _quarantine, _close,
    _describe, _prune,
)  # fmt: skip
