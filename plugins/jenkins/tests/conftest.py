"""A recorded master, a session with it, and one harvest of it, for all tests of the collector."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ci_results_jenkins import ItemRule, Jenkins, Options
from ci_results_jenkins.recorded_documents import entries
from ci_results_jenkins.recorded_master import RecordedMaster

from ci_results import Checkpoint, Garbled, Observation, SourceSession

RECORDING = Path(__file__).parents[3] / "examples" / "masters" / "master.ndjson.xz"
NVR = ItemRule(find="parameter", name="NVR")


@cache
def recorded() -> list[dict[str, Any]]:
    """Read the recording, once for all masters; `own` gives a document that a test may change."""
    return list(entries(RECORDING))


def own(master: RecordedMaster, path: str) -> Any:
    """Return a document of this master alone, to be changed in place."""
    entry = master._documents[path] = deepcopy(master._documents[path])
    return entry["json"]


class Harvest:
    """What a harvest yielded, sorted by kind."""

    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen
        self.observations = [one for one in seen if isinstance(one, Observation)]
        self.garbled = [one for one in seen if isinstance(one, Garbled)]
        self.checkpoints = [one for one in seen if isinstance(one, Checkpoint)]

    def build(self, key: str) -> Observation:
        """Return the observation of a build itself."""
        (found,) = [one for one in self.of(key) if one.key == "build"]
        return found

    def of(self, key: str) -> list[Observation]:
        """Return all observations of a run."""
        return [one for one in self.observations if one.run is not None and one.run.key == key]


@pytest.fixture
def master() -> Iterator[RecordedMaster]:
    with RecordedMaster(recorded()).serve() as master:
        yield master


@pytest.fixture
def http(master: RecordedMaster) -> Iterator[SourceSession]:
    session = SourceSession(master.url, attempts=2, pause_s=0.01, read_s=2)
    yield session
    session.close()


def options(master: RecordedMaster, **fields: Any) -> Options:
    return Options(**({"url": master.url, "item": (NVR,), "arch": "ARCH"} | fields))


def harvest(master: RecordedMaster, http: SourceSession, cursor: str | None = None, **fields: Any) -> Harvest:
    return Harvest(list(Jenkins().harvest(options(master, **fields), cursor, http)))


@pytest.fixture(scope="session")
def whole() -> Harvest:
    """One harvest of all of it, for tests that only look."""
    with RecordedMaster(recorded()).serve() as master:
        session = SourceSession(master.url)
        try:
            return harvest(master, session)
        finally:
            session.close()
