"""Which request goes where, and what becomes of errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send

from ..call import Call, Gone
from ..surroundings import Surroundings
from ..telling import message, refuse_method, tell, told
from .reading import Reading
from .writing import Writing

Handler = Callable[[Call, str], Awaitable[None]]
Methods = dict[str, Handler]


RESULT, TESTCASE, GROUP = "/results/{id}", "/testcases/{name}", "/groups/{uuid}"
NOTHING = "nothing"


class ResultsDB:
    """The ASGI application.

    endpoints  path below the prefix, with the names in it in braces -> method -> what answers
    """

    def __init__(self, around: Surroundings) -> None:
        reading, writing = Reading(around), Writing(around)
        self.endpoints: Mapping[str, Methods] = {
            "": {"GET": reading.landing},
            "/": {"GET": reading.landing},
            "/healthcheck": {"GET": reading.healthcheck},
            "/results": {"GET": reading.results, "POST": writing.result},
            "/results/latest": {"GET": reading.latest},
            RESULT: {"GET": reading.result},
            "/testcases": {"GET": reading.testcases, "POST": writing.testcase},
            TESTCASE: {"GET": reading.testcase},
            f"{TESTCASE}/results": {"GET": reading.testcase_results},
            "/groups": {"GET": reading.groups, "POST": writing.group},
            GROUP: {"GET": reading.group},
            f"{GROUP}/results": {"GET": reading.group_results},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call = Call(scope, receive, send)
        endpoint, name = _find(call.path)
        methods = self.endpoints.get(endpoint)
        scope["template"] = "" if methods is None else endpoint
        if methods is None:
            await tell(call, message(404, "Not found"))
            return
        handler = methods.get("GET" if call.method == "HEAD" else call.method)
        if handler is None:
            await refuse_method(call, methods)
            return
        try:
            await handler(call, name)
        except Gone:
            return
        except Exception as err:
            answer = told(err)
            if answer is None:
                raise
            await tell(call, answer)


def _find(path: str) -> tuple[str, str]:
    """Return the endpoint at `path`, and the name in it, decoded; most paths are their own endpoint."""
    kind, _slash, rest = path[1:].partition("/")
    if not rest or (rest == "latest" and kind == "results"):
        return path, ""
    if kind == "results":
        return (NOTHING if "/" in rest else RESULT), _name(rest)
    if kind == "testcases":
        if rest.endswith("/results") and len(rest) > len("/results"):
            return f"{TESTCASE}/results", _name(rest.removesuffix("/results"))
        return TESTCASE, _name(rest)
    if kind == "groups":
        uuid, slash, more = rest.partition("/")
        return (GROUP + slash + more if more in ("", "results") else NOTHING), _name(uuid)
    return NOTHING, ""


def _name(quoted: str) -> str:
    """Return a name of the path; what is no UTF-8, and NUL, which no stored name has, is replaced."""
    return unquote(quoted).replace("\0", "\ufffd")
