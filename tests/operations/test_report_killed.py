"""A report that is killed with -9 and given again ends where an undisturbed one ends."""

from __future__ import annotations

import gzip
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from ci_results.collect.pages import PAGE_ROWS
from ci_results.operations.report import About, report
from ci_results.plugin.manager import Plugins
from ci_results.store.sqlite import SqliteStore

RUN = "from ci_results.cli.main import main; main()"
CASES = 4 * PAGE_ROWS + 123


def stored(path: Path) -> int:
    """Count what is committed by now."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("select count(*) from _result").fetchone()[0])
        except sqlite3.OperationalError:  # not there yet, or being made
            return 0


@pytest.mark.timeout(120)
def test_kill_9_in_the_middle_leaves_no_trace_after_the_next_report(plugins: Plugins, tmp_path: Path) -> None:
    cases = (f'<testcase classname="c{n % 7}" name="t{n}" time="1"/>\n' for n in range(CASES))
    path = tmp_path / "big.xml.gz"
    path.write_bytes(gzip.compress(b'<testsuite name="s">' + "".join(cases).encode() + b"</testsuite>", 1))
    about = ("--item", "bash-5.2-1.fc40", "--testcase-prefix", "baseos", "--group", "nightly")
    killed = tmp_path / "killed.db"
    command = [sys.executable, "-c", RUN, "--store", str(killed), "report", *about, "--json", str(path)]
    for enough in (1, 2 * PAGE_ROWS):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while stored(killed) < enough and process.poll() is None:
                time.sleep(0.001)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert stored(killed) < CASES
    last = subprocess.run(command, check=False, capture_output=True, text=True)
    assert last.returncode == 0, last.stderr
    with SqliteStore.open(tmp_path / "quiet.db") as whole, SqliteStore.open(killed) as store:
        told = About(item="bash-5.2-1.fc40", prefix="baseos", groups=("nightly",))
        list(report([str(path)], told, whole, plugins))
        assert whole.counts()["results"] == store.counts()["results"] == CASES + 1
        assert list(store.dump(portable=True)) == list(whole.dump(portable=True))
        assert store.check() == []
