"""Which addresses a remote rule file is looked for at, by the reference's 3.5."""

from __future__ import annotations

import doctest

import pytest

from ci_results.decide import findings, remote_address, values, yaml_tree
from ci_results.decide.policy_set import Settings
from ci_results.decide.remote_address import Source, address, build_not_found, source_of, templates
from ci_results.domain import policy, tiers
from ci_results.domain.asked import RemoteFileOf

from .making import BASH

OWN = RemoteFileOf(BASH, ("https://own/{rev}",))
NONE = RemoteFileOf(BASH, ())


@pytest.mark.parametrize(
    ("asked", "settings", "found"),
    [
        (OWN, Settings(remote_rule_policies={"*": ("w",)}), ("https://own/{rev}",)),
        (NONE, Settings(remote_rule_policies={"koji_build": ("k", "l"), "*": ("w",)}), ("k", "l")),
        (NONE, Settings(remote_rule_policies={"compose": ("c",), "*": ("w",)}), ("w",)),
        (NONE, Settings(dist_git_url_template="d"), ("d",)),
        (NONE, Settings(), ()),
    ],
    ids=["rule", "type", "any", "dist-git", "none"],
)
def test_templates_come_from_the_rule_or_else_the_configuration(
    asked: RemoteFileOf, settings: Settings, found: tuple[str, ...]
) -> None:
    assert templates(asked, settings) == found


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("git+https://host/rpms/foo.git#abc", Source("abc", "foo", "rpms/")),
        ("git://host/foo#abc", Source("abc", "foo", "")),
        ("git+https://host/containers/foo-container.git#abc", Source("abc", "foo", "containers/")),
        ("git+https://host/a/rpms/foo-container#abc", Source("abc", "foo-container", "rpms/")),
    ],
)
def test_the_source_of_a_build_is_taken_apart(url: str, source: Source) -> None:
    assert source_of(url, "foo-1-1", "https://koji") == source


def test_a_source_without_a_revision_is_refused_in_the_words_of_the_peer() -> None:
    with pytest.raises(ValueError, match="missing URL fragment") as refused:
        source_of("git://host/foo", "foo-1-1", "https://koji")
    assert str(refused.value) == (
        'Failed to parse SCM URL "git://host/foo" from Koji build "foo-1-1" at "https://koji" '
        "(missing URL fragment with SCM revision information)"
    )


def test_a_template_that_needs_a_source_is_passed_over_without_one() -> None:
    assert address("https://src/{pkg_name}", "x-1-1") is None
    assert address("https://src/{subject_id}", "x-1-1") == "https://src/x-1-1"


def test_a_build_that_is_not_there_is_told_in_the_words_of_the_peer() -> None:
    assert build_not_found(NONE) == (
        "Koji build not found for subject_type 'koji_build', subject_identifier 'bash-5.2-1.fc40'"
    )


@pytest.mark.parametrize("module", [findings, policy, remote_address, tiers, values, yaml_tree])
def test_the_examples_of_docstrings_hold(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted
    assert not found.failed
