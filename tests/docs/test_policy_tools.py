"""docs/policy-tools.md says what the code does."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ci_results.decide import trials
from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.trials import read_trials
from ci_results.domain.rule import RuleType

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

DOCUMENT = ROOT / "docs" / "policy-tools.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_the_table_of_the_document_is_read() -> None:
    (block,) = blocks(DOCUMENT, "trials")
    assert [str(each.verdict) for each in read_trials("x", block.text.encode()).trials] == ["no-go", "go"]


def test_every_key_of_a_table_is_named() -> None:
    part = TEXT.partition("## Tables of facts")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", part))
    known = {*trials._FILE, *trials._TRIAL, *trials._RESULT, *trials._WAIVER, *trials._STANDINGS}
    assert sorted(known - named) == []


def test_the_rules_that_one_more_passed_result_may_close_are_those_that_say_so() -> None:
    policies = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    told = policies.partition("One more passed result never closes a gate, except by")[2].partition("\n\n")[0]
    sentence = told.partition("Types of rules of your own")[0]
    listed = set(re.findall(r"`!(\w+)`", sentence))
    marked = {kind.name for kind in RULE_TYPES if type(kind).monotonic is not RuleType.monotonic}
    assert listed == marked - {"PackagesRule"}  # which is as the rules in it are
