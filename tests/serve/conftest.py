from __future__ import annotations

import importlib.util
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
import uvicorn
from starlette.applications import Starlette

from ci_results.domain.garbled import Garbled
from ci_results.domain.job import Job
from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.domain.run import Run
from ci_results.domain.stored import SourceState
from ci_results.serve.app import application
from ci_results.serve.run import listen
from ci_results.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
ROWS = 20_000
NOW = datetime(2026, 2, 1, tzinfo=UTC)
SCRIPT = "<script>document.title='owned'</script>"
HOSTILE_ITEM = f'{SCRIPT}"><img src=x onerror=alert(1)>/1#2'


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generated", ROOT / "bench" / "generated.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generated"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def generator() -> ModuleType:
    return load_generator()


@pytest.fixture(scope="session")
def generated(generator: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of 20,000 results over 60 days."""
    path: Path = generator.generate(tmp_path_factory.mktemp("generated") / "results.db", ROWS, span_days=60)
    return path


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, filled by its own writer, in which every text of a source attacks the browser."""
    path = tmp_path_factory.mktemp("hostile") / "results.db"
    store = SqliteStore.open(path)
    store.register_source(
        SourceState(name=SCRIPT, collector="jenkins", url="javascript:alert(1)", owner=SCRIPT, contact=SCRIPT)
    )
    store.note_attempt(SCRIPT, error=SCRIPT)
    result = Result(
        source=SCRIPT,
        key=SCRIPT,
        testcase=f"evil.{SCRIPT}",
        outcome="FAILED",
        item=HOSTILE_ITEM,
        item_type="ci_build",
        submit_time=datetime(2026, 1, 31, 12, tzinfo=UTC),
        duration_s=1.5,
        ref_url="javascript:document.title='owned'",
        note=SCRIPT,
        scenario=SCRIPT,
        arch=SCRIPT,
        data={"evil": (SCRIPT,)},
        run=Run(key=SCRIPT, ref_url="javascript:alert(1)", data={"evil": SCRIPT}),
    )
    garbled = Garbled(
        raw=f"one\n{SCRIPT}\nthree\x00\xff".encode("latin-1"), reason=SCRIPT, key=SCRIPT, position="line 2"
    )
    store.commit_page(
        Page(
            source=SCRIPT,
            results=[result],
            quarantine=[garbled],
            jobs=[Job(name=SCRIPT, last_build=datetime(2026, 1, 31, tzinfo=UTC))],
        )
    )
    store.close()
    return path


class Client(requests.Session):
    """Asks one server: `get("/coverage")`."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self.root = root

    def request(self, method: str, url: str, *args: Any, **named: Any) -> requests.Response:  # type: ignore[override]
        return super().request(method, self.root + url, *args, timeout=20, **named)


@contextmanager
def serving(app: Starlette) -> Iterator[Client]:
    """Serve `app` on a free loopback port, by the server that people use."""
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        try:
            with Client(f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def serve() -> Callable[[Starlette], AbstractContextManager[Client]]:
    return serving


@pytest.fixture(scope="session")
def client(generated: Path) -> Iterator[Client]:
    with serving(application(generated, clock=lambda: NOW)) as found:
        yield found


@pytest.fixture(scope="session")
def hostile_client(hostile: Path) -> Iterator[Client]:
    with serving(application(hostile, clock=lambda: NOW)) as found:
        yield found
