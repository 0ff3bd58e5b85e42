"""Tests of policies that are tables in YAML: find them, read the policies they are of, try each.

What `ci-results policy test` runs, and what pytest collects with `--policy-tests`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..decide.policy_set import PolicySet, load
from ..decide.rules import RuleTypes
from ..decide.trials import Trial, TrialFile, read_trials
from ..decide.trying import Tried, try_policies
from ..decide.yaml_tree import Unreadable
from ..errors import ConfigError, shown

ENDINGS = (".test.yaml", ".test.yml")
_FOLDER = "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTests:
    """The trials of one file, with the policies that they are of."""

    file: Path
    policies: PolicySet
    trials: tuple[Trial, ...]

    def run(self) -> Iterator[Tried]:
        """Try each, in the order of the file."""
        return (try_policies(self.policies, trial) for trial in self.trials)


def is_policy_test(path: Path) -> bool:
    """Say whether a file is a table of tests, by its name: "fedora.test.yaml"."""
    return path.name.endswith(ENDINGS)


def find_policy_tests(paths: Iterable[Path]) -> list[Path]:
    """Return the files of tests: those named, and all below the folders named. Raises ConfigError."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            found[path] = None
            continue
        below = sorted(each for each in path.rglob("*.test.y*ml") if is_policy_test(each) and each.is_file())
        if not below:
            raise ConfigError(f"{path}: no file of tests, NAME.test.yaml, is in there")
        found |= dict.fromkeys(below)
    return list(found)


def policies_in(path: Path) -> list[Path]:
    """Return the policies of a folder, by name, without tests; a file is itself. Raises ConfigError."""
    if not path.is_dir():
        return [path]
    beside = sorted(each for each in path.glob("*.y*ml") if each.suffix in (".yaml", ".yml"))
    found = [each for each in beside if not is_policy_test(each)]
    if not found:
        raise ConfigError(f"no policy is in {path}")
    return found


def read_policy_tests(file: Path, types: RuleTypes) -> PolicyTests:
    """Read a file of tests and its policies. Raises ConfigError with file and line."""
    try:
        read = read_trials(str(file), _bytes(file))
    except Unreadable as err:
        place = f"{file}:{err.line}" if err.line else str(file)
        raise ConfigError(f"{place}: {' '.join(err.message.split())}") from err
    policies = load(((str(each), _bytes(each)) for each in _policies(file, read)), types)
    return PolicyTests(file=file, policies=policies, trials=read.trials)


def _policies(file: Path, read: TrialFile) -> list[Path]:
    if not read.policies:
        folder = file.parent.parent if file.parent.name == _FOLDER else file.parent
        try:
            return policies_in(folder)
        except ConfigError as err:
            raise ConfigError(f"{file}: {err}; name them: policies: [FILE]") from err
    named: dict[Path, None] = {}
    for pattern in read.policies:
        try:
            matching = sorted(file.parent.glob(pattern))
        except (ValueError, NotImplementedError, IndexError) as err:
            raise ConfigError(
                f"{file}: policies: {shown(pattern)} is no glob below the file's folder"
            ) from err
        if not matching:
            raise ConfigError(f"{file}: policies: no file is {shown(pattern)}")
        named |= {each: None for each in matching if each.is_file() and not is_policy_test(each)}
    return list(named)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as err:
        raise ConfigError(f"{file}: cannot be read: {err.strerror or err}") from err
