"""Who posts results to a server until it is gone, and a server that is killed in the end."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Client:
    """Posts one result after the other; after a kill it posts the one that was not answered again."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._next = 0
        self.posting = False
        self.acknowledged: dict[str, int] = {}

    def post_until(self, port: int, end: threading.Event) -> None:
        """Post to the server at `port` until it is gone, or until the end."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with suppress(OSError, http.client.HTTPException):
            while not end.is_set():
                name = f"{self._number}-{self._next}"
                body = json.dumps(
                    {
                        "outcome": "PASSED",
                        "testcase": "ns.killed",
                        "data": {"item": name},
                        "groups": [f"g{self._number}"],
                    }
                )
                headers = {"Content-Type": "application/json", "Idempotency-Key": name}
                connection.request("POST", "/api/v2.0/results", body, headers)
                answer = connection.getresponse()
                said = json.loads(answer.read())
                assert answer.status == 201, said
                self.posting = True
                self.acknowledged[name] = said["id"]
                self._next += 1
        self.posting = False
        connection.close()


@contextmanager
def server(config: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a server; yield it and its port; it is killed in the end."""
    words = [sys.executable, "-m", "ci_results", "--config", str(config), "serve", "--port", "0"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            port = next(
                int(found[1])
                for line in process.stderr
                if (found := re.search(r"http://127\.0\.0\.1:(\d+)", line))
            )
            yield process, port
        finally:
            process.kill()
