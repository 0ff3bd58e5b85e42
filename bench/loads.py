"""Servers in processes of their own, loaded by wrk over loopback: what benchmarks of APIs share."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

TRIES = 600
"""How often a server that starts is asked whether it answers, twenty times a second."""


@dataclass(frozen=True)
class Load:
    """What one load gave: requests a second, milliseconds, CPU milliseconds of the server a request."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    failed: int


@dataclass(frozen=True)
class Server:
    """A server under load."""

    root: str
    process: psutil.Process


@contextmanager
def started(
    command: Sequence[str], port: int, ask: Callable[[str], object], folder: Path | None = None
) -> Iterator[Server]:
    """Start a server, in `folder` or an empty one, and yield it once `ask` gets an answer at its root."""
    root = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as empty:
        process = subprocess.Popen(
            command, cwd=folder or empty, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            for _try in range(TRIES):
                try:
                    ask(root)
                    break
                except (requests.ConnectionError, requests.Timeout):
                    time.sleep(0.05)
            yield Server(root, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(30)


def wrk(target: Server, script: str, lines: Sequence[str], clients: int, seconds: int) -> Load:
    """Load a server for some seconds; `script` is Lua and finds `lines` in the file named by LINES."""
    with tempfile.TemporaryDirectory() as folder:
        listed, written = Path(folder) / "lines", Path(folder) / "load.lua"
        listed.write_text("\n".join(lines))
        written.write_text(script)
        before = cpu(target.process)
        said = subprocess.run(
            ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "--timeout", "10s", "-s", written,
             target.root],
            env={**os.environ, "LINES": str(listed)}, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        spent = cpu(target.process) - before
    number = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
    failed = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
    return Load(rate, _ms(said, "50"), _ms(said, "99"), 1000 * spent / max(number, 1), failed)


def median(loads: Sequence[Load]) -> Load:
    """Return the median of each figure."""
    columns = zip(*((one.rate, one.p50_ms, one.p99_ms, one.cpu_ms, one.failed) for one in loads), strict=True)
    rate, p50, p99, spent, failed = (statistics.median(column) for column in columns)
    return Load(rate, p50, p99, spent, int(failed))


def cpu(process: psutil.Process) -> float:
    """Return the CPU seconds of a server and its children so far."""
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))


def _ms(said: str, percent: str) -> float:
    number, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", said).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
