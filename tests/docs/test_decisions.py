"""docs/decisions.md says what the code does: its event is taken, its line of a feed is what comes of it."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ci_results.config import read_config
from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import PolicySet, load
from ci_results.domain.expectation import EventRule, EventRules
from ci_results.domain.happening import KINDS, Happening
from ci_results.domain.page import Page
from ci_results.operations.events import EventDoor, take_events
from ci_results.operations.follow import Following, follow_once
from ci_results.operations.gate import Gate
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result
from ci_results.wire.decision_event import FIELDS, peers_message
from ci_results.wire.events import EVENT, EXAMPLE, read_events
from ci_results.wire.feed import to_event_line
from ci_results.wire.feed_schemas import DECISION, SCHEMA

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

DOCUMENT = ROOT / "docs" / "decisions.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
TOLD, LINE = (json.loads(block.text) for block in blocks(DOCUMENT, "json"))


@pytest.fixture
def policies() -> PolicySet:
    (block,) = blocks(DOCUMENT, "yaml")
    return load([("policies/push.yaml", block.text.encode())], {kind.name: kind for kind in RULE_TYPES})


def happenings(policies: PolicySet, path: Path) -> Iterator[Happening]:
    """Take the event of the document and let its results come, an hour apart, with a follower beside."""
    moment = datetime.fromisoformat("2026-03-01T12:00:00Z")
    with SqliteStore.open(path) as store:
        gate = Gate(store=store, policies=policies, now=lambda: moment)
        around = Following(gate=lambda: gate)
        events = read_events(TOLD, policies.subject_types)
        take_events(EventDoor(store=store, policies=policies, now=lambda: moment), events, "builder")
        follow_once(around)
        for hour, testcase in enumerate(("dist.rpmlint", "dist.abi"), start=13):
            moment = moment.replace(hour=hour)
            one = result(testcase, testcase=testcase, time=moment)
            store.commit_page(Page(source="ci", results=[one]))
            follow_once(around)
        found = store.outbox.happened(store.outbox.begin("far"), None, KINDS, 100)
        yield from (each for several in found.values() for each in several)


@pytest.mark.demand("S-012", "S-074", "S-136")
def test_the_line_is_what_comes_of_the_event(policies: PolicySet, tmp_path: Path) -> None:
    made = list(happenings(policies, tmp_path / "r.db"))
    assert [each.body["verdict"] for each in made] == ["wait", "wait", "go"]
    assert json.loads(to_event_line(made[-1])) == LINE
    for each in made:
        jsonschema.validate(json.loads(to_event_line(each)), DECISION)
        jsonschema.validate(json.loads(to_event_line(each)), SCHEMA)


@pytest.mark.demand("S-074")
def test_the_line_has_all_that_greenwaves_message_has() -> None:
    assert set(peers_message(LINE)) == {
        *("policies_satisfied", "summary", "applicable_policies", "satisfied_requirements"),
        *("unsatisfied_requirements", "subject_type", "subject_identifier", "subject", "decision_context"),
        *("product_version", "previous"),
    }
    assert LINE["policies_satisfied"] is True
    assert LINE["previous"]["policies_satisfied"] is False


def test_the_event_is_that_of_the_api() -> None:
    assert TOLD == EXAMPLE


def test_every_member_is_explained() -> None:
    explained = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", TEXT, re.MULTILINE)
    named = {name for row in explained for name in re.findall(r"`(\w+)`", row)}
    assert {*EVENT, *FIELDS} <= named


def test_the_configuration_is_read(tmp_path: Path) -> None:
    (block,) = blocks(DOCUMENT, "toml")
    events = read_config(block.text, tmp_path / "ci-results.toml").events
    table: dict[str, Any] = tomllib.loads(block.text)["events"]
    assert set(table) == {each.name for each in fields(EventRules)}
    assert set(table["rules"][0]) == {each.name for each in fields(EventRule)}
    assert events.rules[0].testcases
