"""Keep Datasette's pages of big views small: no count, no guessed facets, fewer columns at first."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from .metadata import ours

if TYPE_CHECKING:
    from datasette.app import Datasette

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

LESS_READ = {
    "result": (
        "item_type", "component", "nvr", "run", "run_url", "key", "data", "run_data", "submit_time", "seq",
        "superseded_by",
    ),
    "latest_result": ("item_type", "component", "nvr", "run"),
    "daily_testcase": (),
}  # fmt: skip
"""The big views, and which of their columns a page leaves out until somebody asks for all."""

ALL_COLUMNS = "_all"
_PAGE = re.compile(r"/([^/]+)/(result|latest_result|daily_testcase)(\.json)?")


def bounded(app: Application, datasette: Datasette) -> Application:
    """Wrap Datasette's `app`: `count(*)` over ten million rows took 1 s of each page's time."""

    async def wrapped(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = {**scope, "query_string": added(scope["path"], scope["query_string"], ours(datasette))}
        await app(scope, receive, send)

    return wrapped


def added(path: str, query: bytes, databases: frozenset[str]) -> bytes:
    """Return `query` with what a page of a big view needs to stay small; other paths keep theirs."""
    page = _PAGE.fullmatch(path[path.rstrip("/").rfind("/", 0, path.rfind("/")) :])
    if page is None or page[1] not in databases:
        return query
    asked = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    more = [f"{switch}=1" for switch in ("_nocount", "_nosuggest") if switch not in asked]
    if page[3] is None and not asked.keys() & {"_col", "_nocol", ALL_COLUMNS}:
        more += [f"_nocol={column}" for column in LESS_READ[page[2]]]
    return b"&".join(filter(None, [query, "&".join(more).encode()]))
