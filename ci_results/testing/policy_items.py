"""Files of tests of policies as pytest items: one a trial, with the line of what is not as expected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..decide.policy_set import PolicySet
from ..decide.trials import Trial
from ..decide.trying import try_policies
from ..errors import CiResultsError
from ..plugin.manager import load_plugins
from .policy_trials import read_policy_tests


class PolicyTestFile(pytest.File):
    """One NAME.test.yaml."""

    def collect(self) -> Iterator[PolicyTestItem]:
        """Yield its trials. Raises what pytest shows as an error of collection, with file and line."""
        try:
            read = read_policy_tests(self.path, load_plugins().rule_types)
        except CiResultsError as err:
            raise self.CollectError(str(err)) from err
        for trial in read.trials:
            yield PolicyTestItem.from_parent(self, name=trial.name, policies=read.policies, trial=trial)


class PolicyTestItem(pytest.Item):
    """One trial."""

    def __init__(self, *, policies: PolicySet, trial: Trial, **more: Any) -> None:
        super().__init__(**more)
        self.policies, self.trial = policies, trial

    def runtest(self) -> None:
        """Decide it, and fail with all that is not as expected."""
        problems = try_policies(self.policies, self.trial).problems
        if problems:
            raise UnexpectedDecisionError("\n".join(f"{place}: {told}" for place, told in problems))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what is wrong alone: nothing of it is in our frames."""
        if isinstance(excinfo.value, UnexpectedDecisionError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where it is written."""
        return self.path, self.trial.place.line - 1, self.name


class UnexpectedDecisionError(AssertionError):
    """A decision is not the expected one."""
