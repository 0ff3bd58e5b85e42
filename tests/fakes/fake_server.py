"""Our own server on loopback, over an empty store: what tests of who may do what talk to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests
from in_thread import running

from ci_results.config_auth import Auth, read_permissions
from ci_results.serve.app import application
from ci_results.serve.auth.opening import open_access
from ci_results.serve.surroundings import Surroundings
from ci_results.store.protocol import Store
from ci_results.store.sqlite import SqliteStore


class Client(requests.Session):
    """Asks one server: `get("/api/v3/")`; `token` is sent along where one is set."""

    def __init__(self, root: str, store: Store) -> None:
        super().__init__()
        self.root, self.store = root, store
        self.trust_env = False

    def request(self, method: str, url: str, *args: Any, **named: Any) -> requests.Response:  # type: ignore[override]
        url = url if url.startswith("http") else self.root + url
        return super().request(method, url, *args, **{"timeout": 20, **named})


def bearer(token: str) -> dict[str, str]:
    """Return the header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


@contextmanager
def serving(
    auth: Auth,
    permissions: Sequence[dict[str, Any]] = (),
    *,
    here_only: bool = True,
    store: Store | None = None,
    **more: Any,
) -> Iterator[Client]:
    """Serve with these tables of the configuration, over `store` or an empty file; `more` is around it."""
    access = open_access(auth, read_permissions(list(permissions), "permissions"), here_only=here_only)
    with ExitStack() as held:
        if store is None:
            folder = held.enter_context(tempfile.TemporaryDirectory())
            store = held.enter_context(SqliteStore.open(Path(folder) / "results.db"))
        view = store.path if isinstance(store, SqliteStore) else None
        around = Surroundings(store=store, access=access, inline=view is not None, **more)
        app = application(around, view)
        with running(app, around.settings) as root, Client(root, store) as client:
            yield client
