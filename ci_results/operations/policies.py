"""The policies that a long-lived process decides by: read at its start, and anew when their files change.

A set is taken whole or not at all: where a file is wrong, what was in force stays in force, and says so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ..decide.builtin import RULE_TYPES
from ..decide.policy_set import PolicySet, Settings, load
from ..decide.rules import RuleTypes
from ..errors import ConfigError
from .gate import load_policies, policy_files

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""How often files are looked at, at most: two hundred take a millisecond."""


class State(NamedTuple):
    """What is in force, since when, and why it is not what the files say now (None = it is)."""

    policies: PolicySet
    since: datetime
    problem: str | None = None


class FixedPolicies:
    """Policies that never change."""

    def __init__(self, policies: PolicySet) -> None:
        self.state = State(policies, datetime.now(UTC))

    def current(self) -> PolicySet:
        """Return them."""
        return self.state.policies

    def reload(self) -> bool:
        """Do nothing; say that they are in force."""
        return True

    def reload_soon(self) -> None:
        """Do nothing."""


class FilePolicies:
    """Policies of files; safe to use from many threads.

    patterns, folder         as in table `gate` of the configuration; no pattern = no policy
    types                    the rule types by name
    subject_types, settings  what that table says beside policies
    monotonic                tells seconds

    Raises ConfigError where a file cannot be used: a server does not start with it.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        folder: Path,
        types: RuleTypes,
        *,
        subject_types: Sequence[str] = (),
        settings: Settings | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patterns, self._folder, self._types = tuple(patterns), folder, types
        self._subject_types, self._settings = tuple(subject_types), settings
        self._monotonic = monotonic
        self._reading = threading.Lock()
        self._seen = self._look()
        self._looked_at = monotonic()
        self.state = State(self._read(), datetime.now(UTC))

    def current(self) -> PolicySet:
        """Return what is in force; where a file has changed since, it is read meanwhile."""
        now = self._monotonic()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            if self._patterns and self._look() != self._seen:
                self.reload_soon()
        return self.state.policies

    def reload_soon(self) -> None:
        """Read the files in a thread of their own, where none does so now."""
        if not self._reading.locked():
            threading.Thread(target=self.reload, name="policies", daemon=True).start()

    def reload(self) -> bool:
        """Read the files now; say whether what they say is in force."""
        with self._reading:
            # Looked at before they are read: what changes meanwhile is seen next time.
            self._seen = self._look()
            before = self.state
            try:
                policies = self._read()
            except ConfigError as err:
                self.state = before._replace(problem=str(err))
                log.error(
                    "policies were not reloaded: the old ones stay in force", extra={"reason": str(err)}
                )
                return False
            if policies.digest == before.policies.digest:
                since = before.since
            else:
                since = datetime.now(UTC)
            self.state = State(policies, since)
        log.info("policies are in force", extra={"count": len(policies.policies), "digest": policies.digest})
        return True

    def _read(self) -> PolicySet:
        if not self._patterns:
            return load([], self._types, settings=self._settings)
        return load_policies(
            self._patterns,
            self._folder,
            self._types,
            subject_types=self._subject_types,
            settings=self._settings,
        )

    def _look(self) -> object:
        """Return what tells one state of the files from another."""
        try:
            found = policy_files(self._patterns, self._folder)
            found += policy_files(self._subject_types, self._folder, "subject_types")
            return [(file, *_told(file)) for file in found]
        except (ConfigError, OSError) as err:
            return str(err)


Policies = FixedPolicies | FilePolicies


def no_policies() -> FixedPolicies:
    """Return what is in force where nothing is configured."""
    return FixedPolicies(load([], {kind.name: kind for kind in RULE_TYPES}))


def _told(file: Path) -> tuple[int, int, int]:
    told = file.stat()
    return told.st_mtime_ns, told.st_size, told.st_ino
