"""Examples for a shell: what is printed on the page works as it is printed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

Json = Mapping[str, Any]


def command(root: str, path: str, method: str, operation: Json, parameters: Sequence[Json]) -> str:
    """Return a curl command; parameters that have an example are given, and `$TOKEN` where one is needed.

    >>> id = {"name": "id", "in": "path", "example": 7}
    >>> command("http://ci.example", "/results/{id}", "get", {}, [id])
    'curl http://ci.example/results/7'
    """
    for each in parameters:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", quote(str(each["example"]), safe="/"))
    asked = "&".join(part for each in parameters if each["in"] == "query" for part in _query(each))
    address = shlex.quote(f"{root}{path}?{asked}" if asked else f"{root}{path}")
    ways = operation.get("security", [])
    user = ' \\\n  -H "Authorization: Bearer $TOKEN"' if ways and {} not in ways else ""
    if method == "get":
        return f"curl {address}{user}"
    ((kind, content),) = [*operation["requestBody"]["content"].items()][:1]
    data = shlex.quote(body(kind, content["example"]))
    return f"curl {address}{user} \\\n  -H 'Content-Type: {kind}' \\\n  --data-binary {data}"


def body(kind: str, example: Any) -> str:
    """Return a body as text: as it is, JSON over several lines, or a line for each element."""
    if isinstance(example, str):
        return example
    if kind == "application/json":
        return json.dumps(example, indent=2, ensure_ascii=False)
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in example)


def _query(parameter: Json) -> Iterator[str]:
    if "example" not in parameter:
        return
    example = parameter["example"]
    if isinstance(example, Mapping):
        yield from (f"{_text(key)}={_text(value)}" for key, value in example.items())
    elif isinstance(example, list):
        yield f"{_text(parameter['name'])}={','.join(map(_text, example))}"
    else:
        yield f"{_text(parameter['name'])}={_text(example)}"


def _text(value: object) -> str:
    return quote(str(value), safe=":*")
