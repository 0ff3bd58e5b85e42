"""Processes that append to the chain of waivers, and what must be true after them.

python waiver_processes.py STORE COUNT NAME appends COUNT grants, one a transaction; each line that it
prints is an event that the store has acknowledged: its id and its hash.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.testing.waiver_contract import grant
from ci_results.waive.chain import faults


def check_writers(store: Store, url: str, processes: int, count: int) -> None:
    """Let `processes` processes append `count` events each; see that the chain never forked."""
    children = [
        subprocess.Popen(
            [sys.executable, __file__, url, str(count), f"w{number}"], stdout=subprocess.PIPE, text=True
        )
        for number in range(processes)
    ]
    told = dict(line.split() for child in children for line in child.communicate()[0].splitlines())
    assert [child.returncode for child in children] == [0] * processes
    assert len(told) == processes * count
    assert_whole(store, {int(number): digest for number, digest in told.items()})
    assert store.waivers.head().id == processes * count


def check_kill(store: Store, url: str) -> None:
    """Kill a process that appends, thrice; see that all that it was told is there, and the chain whole."""
    published: dict[int, str] = {}
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, __file__, url, "100000", "w"], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(20)]
        os.kill(child.pid, signal.SIGKILL)
        lines += child.stdout.read().splitlines()
        child.stdout.close()
        child.wait()
        # The kill may cut the last line short, so that its hash is not all there.
        told = [line.split() for line in lines if len(line.split()) == 2 and len(line.split()[1]) == 64]
        published |= {int(number): digest for number, digest in told}
        assert_whole(store, published)


def assert_whole(store: Store, published: dict[int, str]) -> None:
    """See that the chain is whole, has what was published, and that each commit has its row in the outbox."""
    log = store.waivers
    assert list(faults(log.events(), log.head(), published)) == []
    assert log.silent() == 0
    assert store.check() == []


def main() -> None:
    """Append to the chain."""
    url, count, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    store = open_store(url, polite=False)
    for n in range(count):
        for event in store.waivers.append([grant(name, testcase=f"t.{n}")]):
            os.write(1, f"{event.id} {event.hash}\n".encode())
    store.close()


if __name__ == "__main__":
    main()
