"""Table `gate` of ci-results.toml: which policies are in force, what decisions may ask beside the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .decide.policy_set import Settings
from .domain.reach import Reach

_BUILT_IN = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Table `gate`. Keys that Greenwave has as well are called as there, in lower case.

    policies       globs of files, read in this order, those of one glob by name: ["policies/*.yaml"]
    subject_types  the same, of files with subject types
    remote_rule_policies   addresses of remote rule files by subject type, "*" for any other: a template
                           or several, of which the first that has a file counts
    dist_git_url_template  the template where those name none
    outcomes_passed, outcomes_error, outcomes_incomplete  what outcomes mean; any other word means failed
    distinct_latest_results_on   what sets results of one testcase apart, as answers show it
    waive_unfinished       whether a waiver counts for a run that is queued or running
    remote         how far decisions reach out: hosts, times, sizes
    builds         who knows builds: `kind` of a plugin, and its own keys; None = nobody
    """

    policies: tuple[str, ...] = ()
    subject_types: tuple[str, ...] = ()
    remote_rule_policies: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    dist_git_url_template: str | None = None
    outcomes_passed: frozenset[str] = _BUILT_IN.outcomes_passed
    outcomes_error: frozenset[str] = _BUILT_IN.outcomes_error
    outcomes_incomplete: frozenset[str] = _BUILT_IN.outcomes_incomplete
    distinct_latest_results_on: tuple[str, ...] = _BUILT_IN.distinct_latest_results_on
    waive_unfinished: bool = False
    remote: Reach = field(default_factory=Reach)
    builds: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        twice = (
            self.outcomes_passed & (self.outcomes_error | self.outcomes_incomplete)
            or self.outcomes_error & self.outcomes_incomplete
        )
        if twice:
            raise ValueError(f"an outcome means one thing only: {', '.join(sorted(twice))}")

    @property
    def settings(self) -> Settings:
        """What of it rules look at."""
        return Settings(
            outcomes_passed=self.outcomes_passed,
            outcomes_error=self.outcomes_error,
            outcomes_incomplete=self.outcomes_incomplete,
            distinct_latest_results_on=self.distinct_latest_results_on,
            remote_rule_policies={
                kind: (given,) if isinstance(given, str) else given
                for kind, given in self.remote_rule_policies.items()
            },
            dist_git_url_template=self.dist_git_url_template,
            waive_unfinished=self.waive_unfinished,
        )
