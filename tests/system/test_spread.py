"""Workers of Celery: two, sent for by beat, harvest into PostgreSQL what one process does into SQLite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from ci_results_jenkins.generated_master import GeneratedMaster
from ci_results_jenkins.recorded_master import RecordedMaster

from ci_results.cli.main import cli
from ci_results.store.opening import create_store, open_store

RECORDING = Path(__file__).parents[2] / "examples" / "masters" / "master.ndjson.xz"
SCRIPTED = Path(__file__).parents[1] / "scripted"
LONG_S = 80
JOBS = ('["rpm/f42/tier1/*"]', '["products/*"]')

pytestmark = [pytest.mark.needs("rabbitmq"), pytest.mark.timeout(4 * LONG_S)]


@pytest.fixture
def masters() -> Iterator[list[str]]:
    """The tables of four sources at two masters."""
    with (
        RecordedMaster(RECORDING).serve() as one,
        GeneratedMaster("m", jobs=8, builds=2, cases=2).serve() as two,
    ):
        urls = [(one.url, jobs) for jobs in JOBS]
        urls += [(two.url, f'["m-00/component-000{part}"]') for part in ("[0-3]", "[4-7]")]
        yield [
            f'[source.s{number}]\ncollector = "jenkins"\nurl = "{url}"\njobs = {jobs}\nevery_s = 4\n'
            for number, (url, jobs) in enumerate(urls)
        ]


def configure(folder: Path, store: str, queue: str, sources: list[str]) -> Path:
    folder.mkdir()
    path = folder / "ci-results.toml"
    path.write_text(f'store = "{store}"\n[spread]\nqueue = "{queue}"\n' + "".join(sources))
    return path


@contextmanager
def working(path: Path, name: str, *more: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run a worker, with one child, beside what it says."""
    log = path.parent / f"{name}.log"
    words = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "ci_results.spread.app", "worker"]
    words += ["--hostname", f"{name}@{queue_of(path)}", "--concurrency", "1", "--loglevel", "info"]
    words += ["--without-gossip", "--without-mingle", *more]
    surroundings = os.environ | {"CI_RESULTS_CONFIG": str(path)}
    surroundings.pop("CI_RESULTS_STORE", None)
    with log.open("wb") as said:
        process = subprocess.Popen(words, cwd=path.parent, env=surroundings, stdout=said, stderr=said)
    try:
        yield process, log
    finally:
        process.kill()
        process.wait()


def queue_of(path: Path) -> str:
    return path.read_text().partition('queue = "')[2].partition('"')[0]


def facts(store: str) -> list[str]:
    """Return the dump of a store, sorted by source and key."""
    with closing(open_store(store, create=False)) as opened:
        return list(opened.dump(portable=True))


def harvested(store: str) -> set[str]:
    with closing(open_store(store, create=False)) as opened:
        return {state.name for state in opened.sources() if state.last_ok}


@pytest.mark.needs("postgresql")
def test_two_workers_on_postgresql_harvest_what_one_process_does_on_sqlite(
    tmp_path: Path, rabbitmq: str, postgresql: Callable[[str], str], masters: list[str]
) -> None:
    alone, many = f"sqlite:{tmp_path / 'r.db'}", postgresql("many")
    one = configure(tmp_path / "alone", alone, rabbitmq, masters)
    both = configure(tmp_path / "many", many, rabbitmq, masters)
    create_store(many)
    names = {f"s{number}" for number in range(len(masters))}
    with ExitStack() as held:
        workers = [held.enter_context(working(both, "first", "--beat", "--schedule", str(tmp_path / "beat")))]
        workers += [held.enter_context(working(both, "second"))]
        assert cli(["--config", str(one), "harvest"], standalone_mode=False) == 0
        assert not cli(["--config", str(both), "spread", "--send"], standalone_mode=False)  # all come twice
        late = time.monotonic() + LONG_S
        while time.monotonic() < late:
            said = [log.read_text() for _, log in workers]
            sent = "Sending due task harvest s0" in said[0]
            if sent and harvested(many) == names and all("state=ok" in each for each in said):
                break
            time.sleep(0.3)
        for process, _ in workers:
            process.terminate()
        assert [process.wait(LONG_S) for process, _ in workers] == [0, 0], said
    said = [log.read_text() for _, log in workers]
    assert all("state=ok" in each for each in said), said
    assert sent, said
    assert harvested(many) == names
    assert facts(many) == facts(alone)
    assert len(facts(many)) > 100


def test_a_worker_that_is_told_to_end_ends_its_harvest_at_a_safe_point(
    tmp_path: Path, rabbitmq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes ten minutes to its end: who waits for that, waits too long."""
    lines = [
        line
        for number in range(600)
        for line in ({"see": {"key": f"{number}", "outcome": "SUCCESS"}}, {"checkpoint": ""}, {"sleep": 1})
    ]
    (tmp_path / "slow.script").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    store = f"sqlite:{tmp_path / 'r.db'}"
    source = f'[source.slow]\ncollector = "scripted"\nscript = "{tmp_path / "slow.script"}"\n'
    path = configure(tmp_path / "here", store, rabbitmq, [source])
    monkeypatch.setenv("PYTHONPATH", str(SCRIPTED))
    monkeypatch.syspath_prepend(str(SCRIPTED))
    with working(path, "only") as (process, log):
        assert not cli(["--config", str(path), "spread", "--send"], standalone_mode=False)
        late = time.monotonic() + LONG_S
        while not (tmp_path / "r.db").exists() and time.monotonic() < late:
            time.sleep(0.2)
        process.terminate()
        assert process.wait(LONG_S) == 0, log.read_text()
    assert "state=stopped" in log.read_text()
    with closing(open_store(store, create=False)) as opened:
        assert 0 < opened.counts()["results"] < 600
