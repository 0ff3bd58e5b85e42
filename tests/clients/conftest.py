from __future__ import annotations

import functools
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty place for a store, of each kind."""
    if request.param == "postgresql":
        place: Callable[[str], str] = request.getfixturevalue("postgresql")
        return place("clients")
    return f"sqlite:{tmp_path / 'results.db'}"


@pytest.fixture
def tables() -> str:
    """What stands in the configuration besides."""
    return ""


@pytest.fixture
def root(store: str, tables: str, tmp_path: Path) -> Iterator[str]:
    """The address of a server, started as people start it."""
    config = tmp_path / "ci-results.toml"
    config.write_text(f'store = "{store}"\n{tables}')
    words = [sys.executable, "-m", "ci_results", "--config", str(config)]
    subprocess.run([*words, "db", "create"], check=True, capture_output=True)
    with subprocess.Popen([*words, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            roots = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stderr)
            yield next(root[0] for root in roots if root)
        finally:
            process.terminate()


@pytest.fixture
def api(root: str) -> str:
    """The address of its API 2.0."""
    return f"{root}/api/v2.0"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def composes() -> Iterator[str]:
    """The address of a compose's metadata."""
    handler = functools.partial(Quiet, directory=str(HERE / "compose"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
