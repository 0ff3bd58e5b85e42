"""A follower beside a server: the command `follow` in a process of its own, for as long as we serve."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

END_WITHIN_S = 20


@contextmanager
def following(words: Sequence[str]) -> Iterator[None]:
    """Run `ci-results WORDS follow` until we end; it ends by itself where this process is killed.

    words  options that name the configuration and the store: ["--store", "sqlite:results.db"]
    """
    command = [sys.executable, "-m", "ci_results", *words, "follow", "--parent", str(os.getpid())]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
