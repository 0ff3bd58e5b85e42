from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
from fake_provider import Provider, providing
from fake_server import serving as serving_with
from in_thread import running
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ci_results.config import Serving
from ci_results.config_auth import Auth, OidcTable
from ci_results.domain.garbled import Garbled
from ci_results.domain.job import Job
from ci_results.domain.page import Page
from ci_results.domain.recorded import GatingPoint, RecordedDecision
from ci_results.domain.result import Result
from ci_results.domain.run import Run
from ci_results.domain.stored import SourceState
from ci_results.domain.subject import Subject
from ci_results.domain.waiver import Terms
from ci_results.operations.waive import Desk, Wish, grant
from ci_results.serve import app as app_module
from ci_results.serve.app import application
from ci_results.serve.surroundings import Surroundings
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.decision_rules import awaited
from ci_results.testing.plan_rules import PLAN
from ci_results.waive.life import Actor

from .users import BACK

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
    """A database of 20,000 results over 60 days, a plan of manual tests, and three waivers."""
    path: Path = generator.generate(tmp_path_factory.mktemp("generated") / "results.db", ROWS, span_days=60)
    plan = replace(PLAN, item_type="koji_build", item="bash-5.0-1.fc40")
    with SqliteStore.open(path) as store:
        store.save_plan(plan, "jdoe", before=0)
        store.save_events([awaited()])
        for testcase in ("baseos.tier1", "dist.rpmlint", "dist.rpmdiff"):
            terms = Terms(
                subject_type="koji_build", subject="bash-5.0-1.fc40", testcase=testcase,
                product_version="fedora-40", expires_at=datetime.now(UTC) + timedelta(hours=36),
            )  # fmt: skip
            actor = Actor(username="jdoe", via="test")
            grant(Desk(store=store), [Wish(terms=terms, comment="infra")], actor)
        decided(store, (None, "no-go", "no-go", "go"))
    return path


def decided(store: SqliteStore, verdicts: Sequence[str | None]) -> None:
    """Record decisions at one gate, each after the one before it."""
    point = GatingPoint(Subject("koji_build", "bash-5.0-1.fc40"), "fedora-40", "push")
    recorded = [
        RecordedDecision(
            point=point, number=number, verdict=str(verdict), old_verdict=before, satisfied=verdict == "go",
            summary=f"it is {verdict}", at=datetime.now(UTC), as_of=1, cause={"waiver": 1}, digest="sha256:0",
            answer={}, proof={},
        )
        for number, (before, verdict) in enumerate(pairwise(verdicts), 1)
    ]  # fmt: skip
    state = store.decisions.begin()
    store.decisions.record(state, state.position, state.digest, recorded)


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
        self.port = int(root.rpartition(":")[2])

    def request(self, method: str, url: str, *args: Any, **named: Any) -> requests.Response:  # type: ignore[override]
        return super().request(method, self.root + url, *args, timeout=20, **named)


@contextmanager
def over(path: Path, clock: Callable[[], datetime] = lambda: NOW) -> Iterator[Starlette]:
    """Yield the application over the store at `path`, open meanwhile."""
    with SqliteStore.open(path) as store:
        yield application(Surroundings(store=store, clock=clock), path)


@contextmanager
def serving(app: ASGIApp, settings: Serving = Serving()) -> Iterator[Client]:  # noqa: B008
    """Serve `app` on a free loopback port, by the server that people use."""
    with running(app, settings) as root, Client(root) as client:
        yield client


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[Client]]:
    return serving


@pytest.fixture(scope="session")
def serve_store() -> Callable[[Path], AbstractContextManager[Client]]:
    """Serve the store at a path."""

    @contextmanager
    def serve_it(path: Path) -> Iterator[Client]:
        with over(path) as app, serving(app) as found:
            yield found

    return serve_it


@pytest.fixture(scope="session")
def client(generated: Path) -> Iterator[Client]:
    with over(generated) as app, serving(app) as found:
        yield found


@pytest.fixture(scope="session")
def hostile_client(hostile: Path) -> Iterator[Client]:
    with over(hostile) as app, serving(app) as found:
        yield found


async def ok(request: Request) -> Response:
    return Response(b"ok", media_type="text/plain")


async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/json")


Bounds = Callable[..., AbstractContextManager[Client]]
"""`bounds(routes, max_body_bytes=10, application={...})` serves routes of a test within bounds of a test."""


@pytest.fixture
def bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bounds:
    """Serve /ok, /echo and `routes` in the whole application, over an empty store."""

    @contextmanager
    def serve_within(
        routes: Sequence[BaseRoute] = (), *, application: dict[str, Any] | None = None, **settings: Any
    ) -> Iterator[Client]:
        whole = [Route("/ok", ok), Route("/echo", echo, methods=["POST"]), *routes]
        monkeypatch.setattr(app_module, "api_routes", lambda around: whole)
        serving_table = Serving(**settings)
        with SqliteStore.open(tmp_path / "results.db") as store:
            around = Surroundings(store=store, settings=serving_table)
            app = app_module.application(around, store.path, **(application or {}))
            with serving(app, serving_table) as client:
                yield client

    return serve_within


@pytest.fixture
def provider() -> Iterator[Provider]:
    """An OIDC provider that vouches for the token "good" of jdoe."""
    with providing() as found:
        found.tokens["good"] = {"active": True, "uid": "jdoe", "aud": ["us"], "realm": {"roles": ["qe", 3]}}
        yield found


Start = Callable[..., AbstractContextManager[Any]]
"""`start(secrets={...}, permissions=[...], cache_s=1.0)` serves us with it, reached from elsewhere."""


@pytest.fixture
def start(provider: Provider, tmp_path: Path) -> Start:
    def start(*, secrets: dict[str, Any] | None = None, permissions: Any = (), **settings: Any) -> Any:
        file = provider.secrets_file(tmp_path, **{"redirect_uris": [BACK], **(secrets or {})})
        auth = Auth(oidc=OidcTable(client_secrets=file, **{"timeout_s": 1.0, **settings}))
        return serving_with(auth, permissions, here_only=False)

    return start
