"""Table `waive` of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_results.config import Config, read_config
from ci_results.errors import ConfigError
from ci_results.waive.rules import NO_RULES, People, Rule


def read(text: str, folder: Path) -> Config:
    return read_config(text, folder / "ci-results.toml")


def test_the_whole_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "products.json").write_text('["fedora-40"]')
    found = read(
        """
        [waive]
        products = "products.json"
        superusers = ["bodhi"]
        peers_lenient = false

        [[waive.rules]]
        testcases = ["baseos.*"]
        testcases_ignore = ["baseos.scratch.*"]
        approvals = 2
        request = { groups = ["dev"] }
        approve = { users = ["rm1"], groups = ["releng"] }
        max_days = 14
        unfinished = true
        lenient = true

        [[waive.rules]]
        """,
        tmp_path,
    ).waive
    assert found.products is not None
    assert found.products.keys == {"fedora-40"}
    assert (found.superusers, found.peers_lenient) == ({"bodhi"}, False)
    assert found.rules == (
        Rule(
            testcases=("baseos.*",), testcases_ignore=("baseos.scratch.*",), approvals=2,
            request=People(groups=frozenset({"dev"})),
            approve=People(users=frozenset({"rm1"}), groups=frozenset({"releng"})),
            max_days=14, unfinished=True, lenient=True,
        ),
        Rule(),
    )  # fmt: skip


def test_without_the_table_everybody_may_waive_everything(tmp_path: Path) -> None:
    assert read("", tmp_path).waive == NO_RULES


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[waive]\nproduct = 'x'", r"\[waive\] product: unknown key; known are products"),
        ("[[waive.rules]]\napprovals = 3", r"rules\[0\].*approvals must be 0 to 2, got 3"),
        ("[[waive.rules]]\napprove = { user = ['x'] }", r"rules\[0\]\.approve\.?user: unknown key"),
        ("[waive]\nproducts = 'no.csv'", r"\[waive\] products: .*no\.csv cannot be read"),
        ("[waive]\nproducts = 'empty.csv'", "has no product version"),
        ("waive = 1", "waive must be a table"),
    ],
)
def test_a_fault_names_file_table_and_key(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ConfigError, match=said) as raised:
        read(text, tmp_path)
    assert "ci-results.toml" in str(raised.value)
