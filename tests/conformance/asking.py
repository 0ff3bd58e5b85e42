"""Ask an application without a server: one call, one answer, for the many questions of the model tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

import orjson
from starlette.applications import Starlette

from ci_results.serve import resultsdb_v2
from ci_results.serve.surroundings import Surroundings
from ci_results.store.protocol import Store

HOST = "http://asked.test"
BASE = f"{HOST}/api/v2.0"


@dataclass
class Answer:
    """An answer's status and JSON."""

    status: int
    json: Any


class Asked:
    """The API over a store; `get("/results", [("item", "a")])`."""

    def __init__(self, store: Store) -> None:
        around = Surroundings(store=store, inline=hasattr(store, "path"))
        self._app = Starlette(routes=resultsdb_v2.routes(around))
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """End the loop."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def get(self, path: str, query: Any = ()) -> Any:
        """Return the JSON of an answer, which must be well."""
        answer = self.ask("GET", f"/api/v2.0{quote(path)}?{urlencode(list(query))}")
        assert answer.status == 200, answer
        return answer.json

    def follow(self, url: str) -> Any:
        """Return the JSON at an address that an answer gave."""
        assert url.startswith(BASE)
        answer = self.ask("GET", url.removeprefix(HOST))
        assert answer.status == 200, answer
        return answer.json

    def post(self, path: str, body: Any) -> Any:
        """Post JSON; return the answer's, which must be 201."""
        answer = self.ask("POST", f"/api/v2.0{path}", orjson.dumps(body))
        assert answer.status == 201, answer
        return answer.json

    def ask(self, method: str, target: str, body: bytes = b"") -> Answer:
        """Ask for a target as it would stand in a request."""
        return self._loop.run_until_complete(self._ask(method, target, body))

    async def _ask(self, method: str, target: str, body: bytes) -> Answer:
        path, _mark, query = target.partition("?")
        scope = {
            "type": "http", "method": method, "path": unquote(path), "raw_path": path.encode(),
            "query_string": query.encode(), "scheme": "http",
            "headers": [(b"host", b"asked.test"), (b"content-type", b"application/json")],
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], orjson.loads(content))
