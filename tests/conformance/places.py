"""Empty places for stores, of each kind that there is, and live servers over them."""

from __future__ import annotations

import http.client
import os
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from in_thread import running

from ci_results.config import Serving
from ci_results.operations.policies import Policies, no_policies
from ci_results.serve.app import application
from ci_results.serve.auth.access import OPEN, Access
from ci_results.serve.surroundings import Surroundings, vocabulary
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.waive.rules import NO_RULES, Rules

POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]
"""Kinds of stores, for parametrised fixtures."""

_NUMBERS = count()


@contextmanager
def place(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of an empty place for a store; what is in it is dropped in the end."""
    if kind == "sqlite":
        yield f"sqlite:{folder / 'results.db'}"
        return
    import psycopg

    schema = f"conformance_{os.getpid()}_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"create schema {schema}")
        try:
            yield f"{POSTGRES}?options=-csearch_path%3D{schema}"
        finally:
            connection.execute(f"drop schema {schema} cascade")


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Store]:
    """Yield an empty store."""
    with place(kind, folder) as url, closing(open_store(url)) as store:
        yield store


def analyse(url: str) -> None:
    """Let PostgreSQL count what a store holds, as it does by itself a minute later."""
    if url.startswith("postgresql:"):
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("analyze")


class Api(requests.Session):
    """A client of one live server: `get("/results")` asks below /api/v2.0, `get("//x")` the root."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self.root = root
        self.base = f"{root}/api/v2.0"

    def request(self, method: str, url: str, *args: Any, **named: Any) -> requests.Response:  # type: ignore[override]
        address = self.root + url[1:] if url.startswith("//") else self.base + url
        return super().request(method, address, *args, timeout=20, **named)

    def follow(self, url: str) -> requests.Response:
        """Ask an address that an answer gave."""
        assert url.startswith(self.root)
        return super().request("GET", url, timeout=20)

    def result(self, **fields: Any) -> dict[str, Any]:
        """Post a result; return it as answered."""
        answer = self.post("/results", json={"outcome": "PASSED", "testcase": name("ns")} | fields)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def raw(
        self, method: str, target: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask a target as it is written; headers are written `X_Script_Name="/ci"`."""
        host = self.root.removeprefix("http://")
        with closing(http.client.HTTPConnection(host, timeout=20)) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.putrequest(method, target, skip_host="Host" in named, skip_accept_encoding=True)
            for header, value in named.items():
                connection.putheader(header, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()

    def ids(self, query: str) -> list[int]:
        """Return the ids of a list of results."""
        answer = self.get(query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["data"]]


def name(prefix: str = "n") -> str:
    """Return a name that nobody else has, e.g. "n17"."""
    return f"{prefix}.{next(_NUMBERS)}"


@contextmanager
def serving(
    store: Store,
    outcomes: tuple[str, ...] = (),
    settings: Serving | None = None,
    access: Access = OPEN,
    waive: Rules = NO_RULES,
    policies: Policies | None = None,
) -> Iterator[Api]:
    """Serve a store on a free loopback port."""
    around = Surroundings(
        store=store,
        settings=settings or Serving(),
        outcomes=vocabulary(outcomes),
        inline=_is_file(store),
        access=access,
        waive=waive,
        policies=policies or no_policies(),
    )
    app = application(around, getattr(store, "path", None))
    with running(app, around.settings) as root, Api(root) as api:
        yield api


def _is_file(store: Store) -> bool:
    return hasattr(store, "path")
