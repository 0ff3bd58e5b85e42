"""The reference page of API 3: made of the tables that bodies are read by."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson

from ...wire.resultsdb_v3 import Form
from ..answers import Answers
from ..call import Call
from ..surroundings import Surroundings

_CURL = """\
curl -X POST {url} \\
  -H "Authorization: Bearer $token" \\
  -H "Content-Type: application/json" \\
  --data {body}
"""
_PYTHON = """\
{imports}

session = requests.Session()
{token}
answer = session.post(
    {url},
    headers={{"Authorization": f"Bearer {{token}}"}},
    json={{
{body}
    }},
)
answer.raise_for_status()
print(answer.json()["href"])
"""
_LOGIN = """\
# session.auth = whatever your provider asks for, HTTPSPNEGOAuth() for Kerberos for instance
token = session.get({url}).json()["token"]"""
_KINDS = {"integer": "whole number", "boolean": "true or false", "array": "list of texts"}
_FORMATS = {"uri": "http or https address", "email": "e-mail address"}


class Reference:
    """Shows what may be posted, with the addresses by which the reader came."""

    def __init__(self, around: Surroundings, forms: Collection[Form]) -> None:
        self._around, self._forms = around, forms
        self._answers = Answers()

    def html(self, call: Call) -> bytes:
        """Return the page."""
        facts = {
            "base": call.base,
            "login": self._login_url(call),
            "endpoints": list(self._endpoints(call)),
            "permissions": _permissions(call, bool(self._around.access.permissions)),
        }
        page = self._answers.html("api_v3.html", facts, path="/api/v3/", now=self._around.clock())
        return bytes(page.body)

    def _login_url(self, call: Call) -> str | None:
        return None if self._around.access.login is None else f"{call.root}/auth/oidclogin"

    def _endpoints(self, call: Call) -> Iterator[Mapping[str, Any]]:
        for form in self._forms:
            path, url = f"results/{form.artifact.path}", f"{call.base}/results/{form.artifact.path}"
            yield {
                "path": path,
                "about": form.artifact.about,
                "type": form.artifact.type,
                "url": url,
                "schema": f"{call.base}/schemas/{form.artifact.path}",
                "fields": [
                    {"name": name, "about": each.about, "required": each.required, "kind": kind(each.schema)}
                    for name, each in form.parameters.items()
                ],
                "curl": _curl(url, form.example()),
                "python": _python(url, form.example(), self._login_url(call)),
            }


def kind(schema: Mapping[str, Any]) -> str:
    """Say in words what a value is.

    >>> kind({"type": "string", "minLength": 1, "maxLength": 80})
    'text of 1 to 80 characters'
    """
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if schema["type"] != "string":
        return _KINDS[schema["type"]]
    least = f"{schema['minLength']} to " if "minLength" in schema else "at most "
    return f"text of {least}{schema['maxLength']} characters"


def _permissions(call: Call, any_set: bool) -> Mapping[str, Any]:
    url = f"{call.base}/permissions"
    return {"url": url, "any": any_set, "curl": f"curl {shlex.quote(f'{url}?testcase=NAME')}"}


def _curl(url: str, body: Mapping[str, Any]) -> str:
    text = orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()
    return _CURL.format(url=shlex.quote(url), body=shlex.quote(text))


def _python(url: str, body: Mapping[str, Any], login: str | None) -> str:
    imports, token = "import requests", ""
    if login is None:
        imports, token = "import os\n\nimport requests", 'token = os.environ["TOKEN"]'
    else:
        token = _LOGIN.format(url=_quoted(login))
    lines = "\n".join(f"        {_quoted(name)}: {_quoted(value)}," for name, value in body.items())
    return _PYTHON.format(imports=imports, token=token, url=_quoted(url), body=lines)


def _quoted(value: object) -> str:
    """Write a text, number or list of them as Python does in double quotes: as JSON."""
    return orjson.dumps(value).decode()
