"""Work beside a server: `follow` and `listen` in processes of their own, for as long as we serve."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

END_WITHIN_S = 20


@contextmanager
def beside(words: Sequence[str], command: str) -> Iterator[None]:
    """Run `ci-results WORDS COMMAND` until we end; it ends by itself where this process is killed.

    words  options that name the configuration and the store: ["--store", "sqlite:results.db"]
    """
    line = [sys.executable, "-m", "ci_results", *words, command, "--parent", str(os.getpid())]
    with subprocess.Popen(line, stdin=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
