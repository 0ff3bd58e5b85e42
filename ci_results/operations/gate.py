"""Gate: decide by what a store holds; what command line, API and pages all call.

Policies are read once. For each decision they say what must be read, that is read as it stands after one
commit, and judged. No system that runs tests is asked; remote rule files and a build system are where
rules need them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..decide.findings import Finding, Level
from ..decide.judge import judge
from ..decide.lint import lint
from ..decide.policy_set import PolicySet, Settings, load
from ..decide.reading import read_policies
from ..decide.rules import RuleTypes
from ..domain.asked import Request
from ..domain.decision import Decision
from ..domain.facts import Facts
from ..errors import ConfigError, shown
from ..store.protocol import Store
from ..testing.policy_trials import is_policy_test
from .gating import facts
from .gating.outside import Outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Where decisions are made: the store, the policies that are in force, the clock.

    outside   what may be asked beside the store; None: what rules need of it is an error
    owner_of  who answers for a testcase, where known
    """

    store: Store
    policies: PolicySet
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    outside: Outside | None = None
    owner_of: Callable[[str], str | None] | None = None


def policy_files(patterns: Sequence[str], folder: Path, key: str = "policies") -> list[Path]:
    """Return the files that globs name, each once, those of one glob by name; tests of policies are none.

    Raises ConfigError.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        whole = folder / Path(pattern).expanduser()
        files = sorted(file for file in _matching(whole, key) if not is_policy_test(file))
        if not files:
            raise ConfigError(f"[gate] {key}: no file is {str(whole)!r}")
        found |= dict.fromkeys(files)
    return list(found)


def read_files(files: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield the name of each file and what is in it. Raises ConfigError."""
    for file in files:
        try:
            yield str(file), file.read_bytes()
        except OSError as err:
            raise ConfigError(f"{file}: cannot be read: {err.strerror or err}") from err


def load_policies(
    patterns: Sequence[str],
    folder: Path,
    types: RuleTypes,
    *,
    subject_types: Sequence[str] = (),
    settings: Settings | None = None,
) -> PolicySet:
    """Return the policies that are in force. Raises ConfigError, with file and line where one is wrong.

    patterns, subject_types  globs of files, counted from `folder`
    """
    if not patterns:
        raise ConfigError('no policy is configured; write [gate] policies = ["policies/*.yaml"]')
    return load(
        read_files(policy_files(patterns, folder)),
        types,
        subject_types=read_files(policy_files(subject_types, folder, "subject_types")),
        settings=settings,
    )


def lint_files(files: Iterable[Path], types: RuleTypes, testcases: Collection[str] | None) -> list[Finding]:
    """Return what is wrong or odd about files, all of it; `testcases` = those that ever reported."""
    findings: list[Finding] = []
    texts = list(read_files(files))
    found = [policy for name, text in texts for policy in read_policies(name, text, types, findings)]
    if any(each.level is Level.ERROR for each in findings):
        return lint(PolicySet(found, types, findings=findings), testcases=testcases)
    return lint(load(texts, types), testcases=testcases)


def decide(gate: Gate, request: Request) -> Decision:
    """Decide by what the store holds now, or held when the request says. Raises InvalidError, StoreError."""
    return judge(gate.policies, request, read_facts(gate, request))


def read_facts(gate: Gate, request: Request) -> Facts:
    """Read what a decision needs, all of it as it stands, or stood, after one commit."""
    return facts.read_facts(gate.store, gate.policies, request, gate.now(), gate.outside, gate.owner_of)


def _matching(whole: Path, key: str) -> Iterator[Path]:
    """Yield the files that a path with or without globs names."""
    parts = whole.parts
    first = next((number for number, part in enumerate(parts) if set(part) & set("*?[")), None)
    if first is None:
        if whole.is_file():
            yield whole
        return
    try:
        yield from (each for each in Path(*parts[:first]).glob(str(Path(*parts[first:]))) if each.is_file())
    except (OSError, ValueError) as err:
        raise ConfigError(f"[gate] {key}: {shown(str(whole))} cannot be read: {err}") from err
