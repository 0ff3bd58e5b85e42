"""Datasette inside our server: slow to import, so it loads while the first page answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from ..security import BindingHeaders, content_policy

if TYPE_CHECKING:
    from datasette.app import Datasette

PREFIX = "/browse"


class Browse:
    """An ASGI application that becomes Datasette; requests that come too early wait for it.

    loaded    is called when it has
    archived  files of runs are kept: cells link to them
    """

    def __init__(
        self, path: Path, loaded: Callable[[], None] = lambda: None, *, archived: bool = False
    ) -> None:
        self._archived = archived
        self._path = path
        self._loaded = loaded
        self._loading: asyncio.Task[ASGIApp] | None = None
        self._datasette: Datasette | None = None

    def start(self) -> None:
        """Begin to load; to be called in the running event loop."""
        self._loading = asyncio.get_running_loop().create_task(self._load())

    async def stop(self) -> None:
        """Let go of the database."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)
        if self._datasette is not None:
            # SQLite crashes where a connection is closed under a statement: a second at most is waited for.
            if self._datasette.executor is not None:
                await asyncio.to_thread(self._datasette.executor.shutdown, cancel_futures=True)
            for database in self._datasette.databases.values():
                database.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._loading is None:
            self.start()
        assert self._loading is not None  # noqa: S101  # start() has just set it
        app = await asyncio.shield(self._loading)
        await app(_stripped(scope), receive, send)

    async def _load(self) -> ASGIApp:
        datasette, policy = await asyncio.to_thread(_open, self._path, self._archived)
        self._datasette = datasette
        await datasette.invoke_startup()
        app = BindingHeaders(datasette.app(), policy)
        self._loaded()
        return app


def _stripped(scope: Scope) -> Scope:
    """Return `scope` without our prefix: given the whole path, Datasette 0.65 writes it twice."""
    if scope["type"] != "http":
        return scope
    path, raw = scope["path"].removeprefix(PREFIX), scope.get("raw_path") or b""
    return {
        **scope,
        "root_path": "",
        "path": path or "/",
        "raw_path": raw.removeprefix(PREFIX.encode()) or b"/",
    }


def _open(path: Path, archived: bool) -> tuple[Datasette, str]:
    from datasette.app import Datasette
    from datasette.database import Database

    from .inline import script_hashes
    from .metadata import SECTION, packaged

    datasette = Datasette(
        [],
        metadata={**packaged(), "plugins": {"ci_results": {"home": "/", "archived": archived}}},
        settings={
            "base_url": f"{PREFIX}/",
            "suggest_facets": False,
            "allow_download": False,
            "default_page_size": 50,
            "max_returned_rows": 2000,
            "facet_time_limit_ms": 200,
            "sql_time_limit_ms": 1000,
            "truncate_cells_html": 300,
        },
    )
    datasette.add_database(Database(datasette, path=str(path), is_mutable=True), name=SECTION)
    if "_memory" in datasette.databases:
        datasette.remove_database("_memory")
    return datasette, content_policy(script_hashes=script_hashes(), inline_styles=True)
