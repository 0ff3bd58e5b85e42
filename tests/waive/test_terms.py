"""What a waiver may be asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ci_results.domain.purpose import Purpose
from ci_results.errors import InvalidError
from ci_results.waive.products import Products, read_products
from ci_results.waive.purposes import BUILT_IN
from ci_results.waive.rules import Rule, Rules
from ci_results.waive.terms import checked_comment, checked_terms, storable_comment

from .making import NOON, TERMS

KINDS = {kind.name: kind for kind in BUILT_IN}
PRODUCTS = Products(frozenset({"fedora-40", "fedora-41", "rhel-7.4"}))
MONTH = Rule(max_days=30)


def checked(rule: Rule = MONTH, products: Products | None = PRODUCTS, **fields: Any) -> Any:
    return checked_terms(replace(TERMS, **fields), rule, KINDS, products, NOON)


def test_good_terms_stay_and_get_the_longest_time_that_the_rule_allows() -> None:
    assert checked() == replace(TERMS, expires_at=NOON + timedelta(days=30))
    assert checked(Rule()) == TERMS
    end = NOON + timedelta(days=3)
    assert checked(expires_at=end).expires_at == end


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"subject": " "}, "subject is missing"),
        ({"testcase": ""}, "testcase is missing"),
        ({"product_version": ""}, "product_version is missing"),
        ({"subject_type": ""}, "subject_type is missing"),
        ({"subject": "a\0b"}, r"subject holds unprintable characters: 'a\\x00b'"),
        ({"subject": "\ud800"}, "subject holds unprintable"),
        ({"subject": "a" * 1_025}, "subject is longer than 1024 characters"),
        ({"testcase": "💥" * 1_000}, "testcase is longer"),
        ({"scenario": "s" * 256}, "scenario is longer than 255 characters"),
        ({"expires_at": NOON}, "the end 2026-03-01T12:00:00.00:00 is past"),
        ({"expires_at": datetime(2026, 4, 1)}, "has no zone"),
        (
            {"expires_at": NOON + timedelta(days=31)},
            "a waiver of this testcase lasts 30 days at most, to 2026-03-31T12:00:00Z",
        ),
        (
            {"purpose": Purpose("moon", "x")},
            "is of no known kind; known are advisory, context, image, product",
        ),
        ({"purpose": Purpose("advisory", "today")}, r"names no advisory \(RHSA"),
        ({"purpose": Purpose("product", "rhel-7.5")}, r"'rhel-7.5' is not in the table .* mean rhel-7.4\?"),
    ],
)
def test_bad_terms_are_refused_with_the_value(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        checked(**fields)


def test_an_end_beyond_all_years_is_refused() -> None:
    with pytest.raises(InvalidError, match="leave it out for no end"):
        checked(Rule(), expires_at=datetime(9999, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "text", ["advisory:RHSA-2017:1234", "advisory:FEDORA-2026-1a2b3c4d5e", "image:ami-0123456789abcdef0",
             "image:quay.io/a@sha256:ab", "product:fedora-40", "context:bodhi_update_push_stable"]
)  # fmt: skip
@pytest.mark.demand("S-070")
def test_a_purpose_is_kind_and_value(text: str) -> None:
    assert str(checked(purpose=Purpose.parse(text)).purpose) == text


@pytest.mark.parametrize("text", ["", "advisory", ":x", "advisory:", "Advisory:x", "a b:c", "advisory:\n"])
def test_what_is_no_purpose_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="not KIND:VALUE"):
        Purpose.parse(text)


@pytest.mark.demand("S-064")
def test_a_comment_is_needed() -> None:
    for blank in ("", " ", "\n\t"):
        with pytest.raises(InvalidError, match="a comment is missing: say why"):
            checked_comment(blank)
    assert checked_comment(" infra ") == " infra "
    assert storable_comment(" ") == " "  # WaiverDB takes it
    for bad in ("", "a\0", "\ud800", "x" * 70_000):
        with pytest.raises(InvalidError):
            storable_comment(bad)


@pytest.mark.demand("S-071")
@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("fedora-26\nrhel-7.4\n", {"fedora-26", "rhel-7.4"}),
        ("name,product_version\nF,fedora-26\nR,rhel-7.4\n,\n", {"fedora-26", "rhel-7.4"}),
        ('["fedora-26", "rhel-7.4"]', {"fedora-26", "rhel-7.4"}),
        ('{"results": [{"release_id": "rhel-7.4", "name": "RHEL"}]}', {"rhel-7.4"}),
        ('[{"product_version_id": "fedora-26"}]', {"fedora-26"}),
    ],
    ids=[
        "a column",
        "CSV with a head",
        "texts",
        "an export of PDC's releases",
        "and of its product versions",
    ],
)
def test_a_table_of_products_is_read(text: str, keys: set[str]) -> None:
    assert read_products(text).keys == keys


@pytest.mark.parametrize("text", ["", "[]", "{}", "[1]", '[{"x": 1}]', "{", '{"results": 1}', '[" "]'])
def test_a_table_without_products_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="table of products"):
        read_products(text)


@pytest.mark.demand("S-071")
def test_a_misspelt_product_is_told_the_nearest() -> None:
    with pytest.raises(InvalidError, match=r"did you mean fedora-4[01] or fedora-4[01]"):
        checked(product_version="fedroa-40")
    with pytest.raises(InvalidError, match=r"'xyz' is not in the table of products$"):
        checked(product_version="xyz")
    assert checked(products=None, product_version="xyz").product_version == "xyz"


def test_the_first_rule_about_a_testcase_holds() -> None:
    ours = Rule(testcases=("dist.*",), testcases_ignore=("dist.free*",), approvals=2)
    rules = Rules(rules=(ours, Rule(testcases=("*",), approvals=1)))
    assert rules.of("dist.rpmlint") is ours
    assert rules.of("dist.free/x").approvals == 1
    assert Rules().of("any").approvals == 0


@pytest.mark.parametrize(
    "fields", [{"approvals": 3}, {"approvals": -1}, {"max_days": 0}, {"max_days": 10**6}]
)
def test_a_rule_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        Rule(**fields)
