"""The API 2.0 in the document: each endpoint, what it takes and what it answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...wire import resultsdb_post
from ...wire.resultsdb_schemas import ANSWERS
from ...wire.schemas import record, reference, table
from ..openapi.answers import posting, reading
from ..openapi.part import Json, Part, Users, answer, body, header, operation, posting_users
from ..surroundings import Surroundings
from . import parameters as asked

JSON = "application/json"
TAG = "ResultsDB 2.0"
ABOUT = (
    "The API of ResultsDB, for every client that there is of it: results of testcases, in groups. What is"
    " posted is answered once it is safe on disk, and never changes. `HEAD` is answered as `GET`, without"
    " its body. Each address is there below `/resultsdb` as well."
)
_ETAG = {"ETag": header("Names this very body, for `If-None-Match`.", {"type": "string"})}
_SAME = answer("The client has this already (`If-None-Match`).", headers=_ETAG)
_TESTCASE = {"name": "dist.rpmlint", "ref_url": "https://docs.example/rpmlint"}
_GROUP = {"uuid": "nightly-42", "description": "Nightly run 42", "ref_url": "https://ci.example/nightly/42"}
_RESULT = {
    "outcome": "PASSED",
    "testcase": "dist.rpmlint",
    "groups": ["nightly-42"],
    "note": "0 errors, 2 warnings",
    "ref_url": "https://ci.example/job/rpmlint/7/",
    "data": {"item": "bash-5.2-1.fc40", "type": "koji_build", "arch": ["x86_64", "aarch64"]},
}


def part(around: Surroundings, prefix: str, services: Sequence[str]) -> Part:
    """Return what the document says of the API at `prefix`, below each of these services."""
    users = posting_users(around.access)
    paths = {**_results(users), **_testcases(users), **_groups(users), **_top()}
    servers = [{"url": service or "/"} for service in services]
    return Part(
        tag=TAG,
        about=ABOUT,
        paths={prefix + path: {"servers": servers, **item} for path, item in paths.items()},
        schemas=schemas(around.outcomes),
        parameters=asked.shared(around.outcomes, around.settings.max_limit),
    )


def schemas(outcomes: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """Return what is posted and answered, by name."""
    return ANSWERS | {
        "NewResult": table(resultsdb_post.result_table(outcomes), "A result as it is posted."),
        "NewTestcase": table(resultsdb_post.TESTCASE, "A testcase as it is posted."),
        "NewGroup": table(resultsdb_post.GROUP, "A group as it is posted; without a uuid it gets one."),
    }


def _top() -> dict[str, Json]:
    def landing(name: str) -> Json:
        answers = reading({300: answer("Addresses and outcomes.", reference("Landing"))})
        return {"get": operation(name, "See what is here", "The status is 300, as ever.", answers=answers)}

    well = record("", {"message": {"const": "Health check OK"}})
    answers = reading({200: answer("They can.", well)})
    return {
        "": landing("landing"),
        "/": landing("landing_slash"),
        "/healthcheck": {
            "get": operation("resultsdb_health", "Ask whether results can be read", answers=answers)
        },
    }


def _results(users: Users) -> dict[str, Json]:
    return {
        "/results": {
            "post": _post(
                "create_result", "Store a result",
                "The testcase and groups are created where they are unknown. An empty list of values stores"
                " nothing of its key.",
                "NewResult", _RESULT, "Result", users,
            ),
            "get": _list(
                "list_results", "List results", "Every filter that is given must hold.", asked.RESULTS,
                "ResultList",
            ),
        },
        "/results/latest": {
            "get": _list(
                "list_latest", "List the newest results",
                "Of each testcase the newest of those that satisfy the filters; all of them where times are"
                " equal. `page`, `limit`, `outcome` and `_sort` are taken, and have no effect.",
                asked.LATEST, "LatestResults",
            )
        },
        "/results/{id}": {"get": _one("show_result", "Show a result", asked.RESULT, "Result")},
    }  # fmt: skip


def _testcases(users: Users) -> dict[str, Json]:
    return {
        "/testcases": {
            "post": _post(
                "create_testcase", "Create or describe a testcase",
                "A testcase that is known gets the new `ref_url`, unless that is null or absent.",
                "NewTestcase", _TESTCASE, "Testcase", users, retried=False,
            ),
            "get": _list(
                "list_testcases", "List testcases", "By name. Other parameters have no effect.",
                asked.TESTCASES, "TestcaseList",
            ),
        },
        "/testcases/{name}": {"get": _one("show_testcase", "Show a testcase", asked.TESTCASE, "Testcase")},
        "/testcases/{name}/results": {
            "get": _list(
                "list_testcase_results", "List the results of a testcase", "",
                [asked.TESTCASE, *asked.OF_TESTCASE], "ResultList", "NotFound",
            )
        },
    }  # fmt: skip


def _groups(users: Users) -> dict[str, Json]:
    return {
        "/groups": {
            "post": _post(
                "create_group", "Create or describe a group",
                "A group that is known gets what is said and not empty. Without a uuid there is a new group.",
                "NewGroup", _GROUP, "Group", users,
            ),
            "get": _list(
                "list_groups", "List groups", "The newest first. Other parameters have no effect.",
                asked.GROUPS, "GroupList",
            ),
        },
        "/groups/{uuid}": {"get": _one("show_group", "Show a group", asked.GROUP, "Group")},
        "/groups/{uuid}/results": {
            "get": _list(
                "list_group_results", "List the results of a group", "",
                [asked.GROUP, *asked.OF_GROUP], "ResultList", "NotFound",
            )
        },
    }  # fmt: skip


def _list(name: str, summary: str, about: str, parameters: list[Json], schema: str, *more: str) -> Json:
    found = {200: answer("What was asked for.", reference(schema), headers=_ETAG), 304: _SAME}
    return operation(name, summary, about, parameters=parameters, answers=reading(found, "Wrong", *more))


def _one(name: str, summary: str, parameter: Json, schema: str) -> Json:
    found = {200: answer("It.", reference(schema), headers=_ETAG), 304: _SAME}
    parameters = [parameter, asked.PAGES[-1]]
    return operation(name, summary, parameters=parameters, answers=reading(found, "NotFound"))


def _post(
    name: str,
    summary: str,
    about: str,
    takes: str,
    example: Mapping[str, Any],
    schema: str,
    users: Users,
    *,
    retried: bool = True,
) -> Json:
    stored = {201: answer("It is stored, and safe on disk.", reference(schema))}
    return operation(
        name,
        summary,
        about,
        parameters=asked.KEY if retried else (),
        body=body({JSON: reference(takes)}, example),
        answers=posting(stored, *(["ReusedKey"] if retried else [])),
        users=users,
    )
