"""/openapi.json is valid, and says what is served: every route, and nothing else."""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import BaseRoute, Route

from ci_results.config import Serving
from ci_results.config_auth import TokenTable
from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import load
from ci_results.operations.policies import FixedPolicies
from ci_results.serve.app import api_parts, api_routes, application
from ci_results.serve.auth.access import OPEN, Access
from ci_results.serve.auth.tokens import Tokens, digest
from ci_results.serve.call import Below
from ci_results.serve.openapi import curl, kinds, words
from ci_results.serve.openapi.document import document
from ci_results.serve.surroundings import Surroundings, vocabulary
from ci_results.store.sqlite import SqliteStore
from ci_results.wire import resultsdb_post, resultsdb_query, schemas

Endpoints = dict[str, set[str]]
EXAMPLES = load(
    [
        (
            "examples.yaml",
            b"id: x\nproduct_versions: ['*']\ndecision_context: bodhi_update_push_stable\n"
            b"subject_type: koji_build\nrules: []\n",
        )
    ],
    {kind.name: kind for kind in RULE_TYPES},
)
"""The policies that the examples of the page ask for."""


@pytest.fixture(
    scope="module", params=[OPEN, Access(anonymous=False, tokens=Tokens())], ids=["open", "known"]
)
def around(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Surroundings]:
    """Surroundings where anybody may post, and where users show tokens and API 3 is served."""
    with SqliteStore.open(tmp_path_factory.mktemp("openapi") / "results.db") as store:
        yield Surroundings(
            store=store,
            settings=Serving(max_batch=7, max_limit=11),
            outcomes=vocabulary(["BORKED"]),
            access=request.param,
        )


@pytest.fixture(scope="module")
def whole(around: Surroundings) -> dict[str, Any]:
    return document(api_parts(around))


def served(routes: list[BaseRoute]) -> Endpoints:
    """Return the methods that routes take, by path with its names in braces."""
    found: Endpoints = {}
    for route in routes:
        if isinstance(route, Below):
            for path, methods in route.app.endpoints.items():
                found[route.prefix + path] = set(methods)
        else:
            assert isinstance(route, Route)
            found.setdefault(route.path, set()).update((route.methods or set()) - {"HEAD"})
    return found


def promised(whole: Mapping[str, Any]) -> Endpoints:
    return {
        server["url"].removesuffix("/") + path: {method.upper() for method in item if method != "servers"}
        for path, item in whole["paths"].items()
        for server in item.get("servers", [{"url": "/"}])
    }


def test_the_document_is_valid(whole: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(json.loads(json.dumps(whole))).validate()


def test_it_names_every_route_of_machines_and_no_other(around: Surroundings, whole: dict[str, Any]) -> None:
    app = application(around, None)
    people = {"/", "/index", "/favicon.png", "/api", "/static", "/find", "/waiver"}
    pages = ("/manual", "/item", "/compare", "/policies", "/inbox", "/waiver/")
    paths = [(route, getattr(route, "path", "")) for route in app.routes]
    routes = [route for route, path in paths if path not in people and not path.startswith(pages)]
    assert promised(whole) == served(routes)
    assert served(api_routes(around)).keys() < promised(whole).keys()


def test_names_of_operations_are_unique_and_every_reference_leads_somewhere(whole: dict[str, Any]) -> None:
    names = [each["operationId"] for item in whole["paths"].values() for each in operations(item).values()]
    assert len(names) == len(set(names))
    there = {f"#/components/{kind}/{name}" for kind, found in whole["components"].items() for name in found}
    named = set(re.findall(r'"(#/components/[^"]+)"', json.dumps(whole)))
    assert there - named == {"#/components/securitySchemes/token"}
    assert named <= there


def leads_elsewhere(operation: Mapping[str, Any]) -> bool:
    return bool({"302", "308"} & operation["responses"].keys()) and "200" not in operation["responses"]


def operations(item: Mapping[str, Any]) -> dict[str, Any]:
    return {method: each for method, each in item.items() if method != "servers"}


def test_it_says_who_may_post(around: Surroundings, whole: dict[str, Any]) -> None:
    for path in ("/api/v2.0/results", "/api/v2.0/groups", "/api/ci/v1/results/batch"):
        wanted = None if around.access.anonymous else [{"token": []}]
        assert whole["paths"][path]["post"].get("security") == wanted
    assert ("/api/v3/results/brew-builds" in whole["paths"]) is around.access.takes_tokens


def test_it_says_what_this_installation_takes(whole: dict[str, Any]) -> None:
    components = whole["components"]
    assert components["schemas"]["NewResult"]["properties"]["outcome"]["enum"][-1] == "BORKED"
    assert components["parameters"]["outcome"]["schema"]["items"]["enum"][-1] == "BORKED"
    assert "11" in components["parameters"]["limit"]["description"]
    batch = whole["paths"]["/api/ci/v1/results/batch"]["post"]["requestBody"]["content"]
    assert {body["schema"]["maxItems"] for body in batch.values()} == {7}


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("NewResult", resultsdb_post.result_table(vocabulary())),
        ("NewTestcase", resultsdb_post.TESTCASE),
        ("NewGroup", resultsdb_post.GROUP),
    ],
)
def test_a_body_has_the_fields_of_the_table_that_reads_it(
    whole: dict[str, Any], name: str, table: Mapping[str, Any]
) -> None:
    schema = whole["components"]["schemas"][name]
    assert list(schema["properties"]) == list(table)
    assert schema["required"] == [field for field, read in table.items() if read.required]


def test_the_parameters_of_results_are_those_that_are_read(whole: dict[str, Any]) -> None:
    named = whole["components"]["parameters"]
    asked = {
        named[each["$ref"].rpartition("/")[2]]["name"]
        for path in ("/api/v2.0/results", "/api/v2.0/results/latest")
        for each in whole["paths"][path]["get"]["parameters"]
    }
    assert asked - {"attributes", "If-None-Match"} == resultsdb_query.RESERVED


# -- served --------------------------------------------------------------------------------------


@pytest.fixture
def client(
    serve: Callable[..., AbstractContextManager[requests.Session]], tmp_path: Path
) -> Iterator[requests.Session]:
    with SqliteStore.open(tmp_path / "results.db") as store:
        app = application(Surroundings(store=store, policies=FixedPolicies(EXAMPLES)), store.path)
        with serve(app) as found:
            yield found


class Examples(HTMLParser):
    """Gathers the curl commands, links and ids of the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.curl: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self._within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("href"):
            self.links.append(given["href"] or "")
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "pre":
            self._within = "curl" in (given.get("class") or "")
            self.curl += [""] * self._within

    def handle_endtag(self, tag: str) -> None:
        self._within = self._within and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._within:
            self.curl[-1] += data


def test_the_page_shows_every_operation_and_its_links_lead_somewhere(client: requests.Session) -> None:
    page = Examples(client.get("/api").text)
    whole = client.get("/openapi.json").json()
    for path, item in whole["paths"].items():
        if not path.endswith("/"):
            shown = [each for each in operations(item).values() if not leads_elsewhere(each)]
            assert {each["operationId"] for each in shown} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {link for link in page.links if link.startswith("#")} <= {f"#{each}" for each in page.ids}
    for link in page.links:
        if link.startswith("/") and not link.startswith("/browse"):
            assert client.get(link).status_code == 200, link


def tried(command: str, **environment: str) -> tuple[str, str]:
    """Run a command of the page as it is printed; return status and body of the answer."""
    done = subprocess.run(
        ["bash", "-c", f"{command} --silent --show-error --write-out '\n%{{http_code}}'"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    body, _newline, status = done.stdout.rpartition("\n")
    return status, body


@pytest.mark.needs("curl")
def test_every_example_of_the_page_works_as_printed(client: requests.Session) -> None:
    commands = Examples(client.get("/api").text).curl
    assert len(commands) > 15
    for command in commands:
        status, body = tried(command)
        moved = command.endswith(("/version", "/greenwave", "/api/v1.0"))
        assert status in (("302", "308") if moved else ("200", "201", "300")), f"{command}\n{body}"
        if "/results?" in command or "/latest" in command:
            assert json.loads(body)["data"], command


@pytest.mark.needs("curl")
def test_where_users_are_known_the_examples_show_a_token(
    serve: Callable[..., AbstractContextManager[requests.Session]], tmp_path: Path
) -> None:
    jane = TokenTable(name="jane", sha256=digest("cir_secret"))
    with SqliteStore.open(tmp_path / "results.db") as store:
        around = Surroundings(store=store, access=Access(anonymous=False, tokens=Tokens([jane])))
        with serve(application(around, store.path)) as client:
            commands = Examples(client.get("/api").text).curl
            posts = [one for one in commands if "$TOKEN" in one and "/api/v3/" not in one]
            assert len(posts) == 10
            assert {tried(command, TOKEN="cir_secret")[0] for command in posts} == {"201"}
            assert {tried(command, TOKEN="cir_other")[0] for command in posts} == {"401"}


def test_the_page_prints_addresses_as_the_reader_sees_them(client: requests.Session) -> None:
    headers = {"X-Forwarded-Host": "ci.example'; ls", "X-Forwarded-Scheme": "https"}
    (command, *_) = Examples(client.get("/api", headers=headers).text).curl
    assert command.startswith("""curl 'https://ci.example'"'"'; ls/api/v2.0/results'""")


def test_the_page_is_linked_from_where_people_and_machines_begin(client: requests.Session) -> None:
    assert "/api" in Examples(client.get("/").text).links
    landing = client.get("/api/v2.0").json()
    assert landing["message"].endswith(f"{client.root}/api")  # type: ignore[attr-defined]


@pytest.mark.demand("S-040")
def test_the_pages_twin_is_the_document(client: requests.Session) -> None:
    assert client.get("/api?format=json").json() == client.get("/openapi.json").json()


def test_a_server_without_a_view_shows_the_page_too(
    serve: Callable[..., AbstractContextManager[requests.Session]], around: Surroundings
) -> None:
    with serve(application(around, None)) as client:
        page = Examples(client.get("/api").text)
        assert "/coverage" not in page.links
        assert "create_result" in page.ids
        assert "/api" in Examples(client.get("/").text).links


@pytest.mark.parametrize("module", [curl, kinds, words, schemas], ids=lambda module: module.__name__)
def test_the_examples_are_true(module: Any) -> None:
    assert doctest.testmod(module).failed == 0
