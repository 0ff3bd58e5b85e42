"""ResultsDB's API 2.0: absolute links are built from the request, behind a proxy too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .places import Api, name


def served(answer: tuple[int, dict[str, str], bytes]) -> Any:
    assert answer[0] in (200, 300), answer
    return json.loads(answer[2])


@pytest.mark.parametrize(
    ("path", "headers", "base"),
    [
        ("/api/v2.0", {}, "{root}/api/v2.0"),
        ("/resultsdb/api/v2.0", {}, "{root}/resultsdb/api/v2.0"),
        ("/api/v2.0", {"Host": "localhost"}, "http://localhost/api/v2.0"),
        ("/api/v2.0", {"X_Forwarded_Host": "ci.example:8443"}, "http://ci.example:8443/api/v2.0"),
        (
            "/api/v2.0",
            {"X_Forwarded_Host": "ci.example", "X_Forwarded_Scheme": "https"},
            "https://ci.example/api/v2.0",
        ),
        ("/api/v2.0", {"X_Script_Name": "/ci"}, "{root}/ci/api/v2.0"),
        ("/ci/api/v2.0", {"X_Script_Name": "/ci"}, "{root}/ci/api/v2.0"),
        ("/ci/api/v2.0", {"X_Script_Name": "/ci/"}, "{root}/ci/api/v2.0"),
        ("/resultsdb/api/v2.0", {"X_Script_Name": "/resultsdb"}, "{root}/resultsdb/api/v2.0"),
        ("/a/resultsdb/api/v2.0", {"X_Script_Name": "/a"}, "{root}/a/resultsdb/api/v2.0"),
    ],
)
def test_links_begin_as_the_client_sees_the_server(
    api: Api, path: str, headers: dict[str, str], base: str
) -> None:
    base = base.format(root=api.root)
    given = api.result(groups=[name("g")])
    landing = served(api.raw("GET", path, **headers))
    assert landing["results"] == f"{base}/results"
    result = served(api.raw("GET", f"{path}/results/{given['id']}", **headers))
    assert result["href"] == f"{base}/results/{given['id']}"
    assert result["testcase"]["href"] == f"{base}/testcases/{given['testcase']['name']}"
    group = served(api.raw("GET", f"{path}/groups/{given['groups'][0]}", **headers))
    assert group["href"] == f"{base}/groups/{given['groups'][0]}"
    assert group["results"] == f"{base}/results?groups={given['groups'][0]}"
    page = served(api.raw("GET", f"{path}/results?limit=1&page=1", **headers))
    assert page["prev"] == f"{base}/results?limit=1&page=0"


def test_a_prefix_that_no_header_names_is_not_found(api: Api) -> None:
    assert api.raw("GET", "/ci/api/v2.0/results")[0] == 404


@pytest.mark.parametrize("path", ["/results", "/results/latest", "/testcases", "/groups", "/healthcheck"])
def test_every_list_is_there_under_the_name_of_the_service_too(api: Api, path: str) -> None:
    assert api.get(f"//resultsdb/api/v2.0{path}").json().keys() == api.get(path).json().keys()
