"""WaiverDB's API in the document: each endpoint, what it takes and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...wire import waiverdb_post, waiverdb_query
from ...wire.schemas import Schema, any_of, list_of, optional, record, reference, table
from ..api_v1_0 import FUNCTION, PREFIX
from ..auth.access import Access
from ..openapi.answers import WRONG, posting, reading
from ..openapi.part import Json, Part, Users, answer, body, header, operation, parameter
from ..openapi.part import reference as component
from ..surroundings import Surroundings

TAG = "WaiverDB 1.0"
ABOUT = (
    "The API of WaiverDB, for every client that there is of it: who accepts that a test is not satisfied, and"
    " why. Only waivers that count are listed, and those that are bound to no purpose or architecture, which"
    " this API cannot say. Each address is there below `/waiverdb` as well."
)
JSON = "application/json"
_TEXT = {"type": "string"}
_CALLBACK = rf"^({FUNCTION.pattern})?$"
_CALLED: Json = {"application/javascript": {"schema": _TEXT}}
_MOVED = {"Location": header("Where it is.", _TEXT)}
_WISH = {
    "subject_type": "koji_build",
    "subject_identifier": "bash-5.2-1.fc40",
    "testcase": "dist.rpmlint",
    "product_version": "fedora-40",
    "comment": "Known false alarm, bug 4711",
}
_FILTERS = {"filters": [{"subject_identifier": "bash-5.2-1.fc40", "testcase": "dist.rpmlint"}]}
_OLD = {
    "results": [
        {"testcase": "dist.rpmlint", "subject": {"type": "koji_build", "item": "bash-5.2-1.fc40"}}
    ]
}  # fmt: skip


def part(around: Surroundings, name: str) -> Part:
    """Return what the document says of the API, together with others and below its own name."""
    servers = [{"url": each} for each in ("/", f"/{name}")]
    paths = {**_waivers(_users(around.access)), **_asking(), **_saying(), **_people(_users(around.access))}
    well = answer("It is.", _TEXT, kind="text/plain")
    health = operation(f"{name}_health", "Ask whether the API is there", answers=reading({200: well}))
    return Part(
        tag=TAG,
        about=ABOUT,
        paths={
            **{PREFIX + path: {"servers": servers, **item} for path, item in paths.items()},
            f"/{name}/healthcheck": {"get": health},
            # What Greenwave has at the common path is ours below our own name only.
            f"/{name}{PREFIX}/": _leads("find_reference", "Find the page about all APIs"),
        },
        schemas=schemas(),
    )


def schemas() -> dict[str, Mapping[str, Any]]:
    """Return what is posted and answered, by name."""
    link = optional({"type": "string", "format": "uri"})
    waivers = list_of(reference("Waiver"), "The newest first.")
    return {
        "Waiver": _waiver(),
        "NewWaiver": table(waiverdb_post.FIELDS, "A waiver as it is asked for."),
        "Filters": table(waiverdb_query.FILTERED, "What waivers must say."),
        "SubjectsAndTestcases": table(waiverdb_query.BY_SUBJECTS, "What waivers must say, in the old form."),
        "Waivers": record("Waivers.", {"data": waivers}),
        "WaiverPage": record(
            "A page of waivers.", {"data": waivers, **dict.fromkeys(("prev", "next", "first", "last"), link)}
        ),
        "WaiverPermission": record(
            "Who may waive some testcases. Of several that are about one, the first holds.",
            {
                "name": _TEXT,
                **{name: list_of(_TEXT) for name in (
                    "maintainers", "testcases", "testcases_ignore", "users", "groups")},
                "everybody": {
                    "type": "boolean", "description": "Whoever is known: nobody looks at users and groups.",
                },
                "approvals": {"type": "integer", "description": "How many others have to approve."},
            },
        ),
    }  # fmt: skip


def _waiver() -> Schema:
    return record(
        "Somebody's word that a test need not be satisfied.",
        {
            "id": {"type": "integer"},
            **dict.fromkeys(("subject_type", "subject_identifier"), _TEXT),
            "subject": {"type": "object", "description": "The same in the old form."},
            **dict.fromkeys(("testcase", "username"), _TEXT),
            "scenario": optional(_TEXT),
            "proxied_by": optional({**_TEXT, "description": "Who asked in the name of `username`."}),
            "product_version": _TEXT,
            "waived": {"type": "boolean", "description": "False: what was waived is not any more."},
            "comment": _TEXT,
            "timestamp": {**_TEXT, "description": "When, in UTC.", "examples": ["2026-03-01T12:00:00.5"]},
        },
    )


def _users(access: Access) -> Users:
    if not access.claims:
        return Users.KNOWN
    return Users.KNOWN_OR_ANY if access.takes_tokens else Users.ANY


def _waivers(users: Users) -> dict[str, Json]:
    several = any_of("One, or a list for a list.", reference("Waiver"), list_of(reference("Waiver")))
    asked = any_of("One, or a list of them.", reference("NewWaiver"), list_of(reference("NewWaiver")))
    moved = answer("It is one slash further.", headers=_MOVED)
    page = _read("WaiverPage", "list_waivers", "List waivers", "Every filter that is given must hold.",
                 parameters=[*_filters(), _callback()], own={400: _unsought()})  # fmt: skip
    number = parameter("id", "path", "The waiver's id.", {"type": "integer"}, example=1)
    return {
        "/waivers/": {
            "post": operation(
                "create_waiver",
                "Waive",
                "Where others have to approve, this is a request, and the waiver is listed once they have."
                " Of a list all are stored or none.",
                body=body({JSON: asked}, _WISH),
                answers=posting({201: answer("Asked for, for good.", several)}) | {409: _conflict()},
                users=users,
            ),
            "get": page,
        },
        "/waivers": {
            "get": operation("find_waivers", "Find the list", answers=reading({308: moved})),
            "post": operation("find_create_waiver", "Find where to waive", answers=posting({308: moved})),
        },
        "/waivers/{id}": {
            "get": _read(
                "Waiver", "show_waiver", "Show a waiver", "Also one that was replaced or has ended.",
                parameters=[number, _callback()], more=("NotFound",),
            )
        },
    }  # fmt: skip


def _conflict() -> Json:
    return answer("Others changed what this is about; ask again.", reference("Message"))


def _unsought() -> Json:
    """Return what is answered to a question that cannot be asked."""
    since = record("`since` is no time.", {"message": record("", {"since": _TEXT})})
    return answer("The body or a parameter is wrong.", any_of("Ways to say what is wrong.", WRONG, since))


def _asking() -> dict[str, Json]:
    found = answer("Those that do.", reference("Waivers"))
    called = {**found, "content": found["content"] | _CALLED}

    def asked(
        name: str, summary: str, about: str, takes: str, example: Json, said: Json, **more: Any
    ) -> Json:
        taken, answers = body({JSON: reference(takes)}, example), posting({200: said, 400: _unsought()})
        return {"post": operation(name, summary, about, body=taken, answers=answers, **more)}

    return {
        "/waivers/+filtered": asked(
            "filter_waivers", "List waivers that satisfy filters",
            "What Greenwave asks. Of waivers of the same subject, testcase and scenario only the newest is"
            " told, whoever made it and for whichever product version.",
            "Filters", _FILTERS, found,
        ),
        "/waivers/+by-subjects-and-testcases": asked(
            "waivers_by_subjects", "List waivers of subjects and testcases", "As old clients ask.",
            "SubjectsAndTestcases", _OLD, called, parameters=[_callback()],
        ),
    }  # fmt: skip


def _filters() -> list[Json]:
    about = "Exactly this; empty asks for nothing."
    texts = [
        parameter(
            name, "query", field.schema.get("description", about), _TEXT,
            **({"example": "bash-5.2-1.fc40"} if name == "subject_identifier" else {}),
        )
        for name, field in waiverdb_query.FILTER.items()
    ]  # fmt: skip
    return [
        *texts,
        parameter(
            "include_obsolete",
            "query",
            "Tell those that newer ones replaced, too, and those that have ended.",
            {"type": "boolean", "default": False},
        ),
        parameter("page", "query", "Which page, from 1.", {"type": "integer", "default": 1}),
        parameter(
            "limit", "query", "Waivers of a page.", {"type": "integer", "default": waiverdb_query.LIMIT}
        ),
    ]


def _people(users: Users) -> dict[str, Json]:
    """Return what people look at, and what leads elsewhere."""
    page = answer("A form, filled in as asked.", _TEXT, kind="text/html")
    login = answer("Log in there first.", headers=_MOVED)
    script = answer("What the form runs.", _TEXT, kind="application/javascript")
    names = ("subject_type", "subject_identifier", "testcase", "product_version", "comment", "scenario")
    filled = [parameter(name, "query", "Fills the field of that name in.", _TEXT) for name in names]
    refused = {401: component("responses", "Unauthorised"), 502: component("responses", "NoAuthority")}

    return {
        "/waivers/new": {
            "get": operation(
                "waiver_form", "Show a form", parameters=filled,
                answers=reading({200: page, 302: login, **refused}),
            ),
            "post": operation(
                "create_waiver_by_form", "Waive by the form",
                body=body({JSON: reference("NewWaiver")}, _WISH),
                answers=posting({201: answer("Asked for, for good.", reference("Waiver")), 409: _conflict()}),
                users=users,
            ),
        },
        "/waivers/new/new_waiver.js": {
            "get": operation("waiver_form_script", "Read the form's script", answers=reading({200: script}))
        },
        "/waivers/create": _leads("find_waiver_form", "Find the form"),
        "/swagger.json": _leads("find_document", "Find the document of all APIs"),
    }  # fmt: skip


def _leads(name: str, summary: str) -> Json:
    return {"get": operation(name, summary, answers=reading({302: answer("There.", headers=_MOVED)}))}


def _saying() -> dict[str, Json]:
    texts = list_of(_TEXT)
    about = record("", {"version": _TEXT, "auth_method": optional(_TEXT)})
    config = record("", {"permission_mapping": {"type": "object"}, "superusers": texts})
    testcase = parameter("testcase", "query", "Only what holds for this testcase.", _TEXT)
    html = parameter("html", "query", "Answer a page for people.", {"type": "boolean", "default": False})
    rules = list_of(reference("WaiverPermission"), "Who may waive what.")
    found: dict[str, Json] = {}
    for slash, suffix in (("", ""), ("/", "_slash")):
        found[f"/about{slash}"] = {"get": _read(about, f"about{suffix}", "Ask which API this is", "")}
        found[f"/config{slash}"] = {"get": _read(config, f"config{suffix}", "Ask who may act for others", "")}
        found[f"/permissions{slash}"] = {
            "get": _read(
                rules, f"permissions{suffix}", "Ask who may waive what", "",
                parameters=[testcase, html, _callback()],
                kinds={"text/html": {"schema": _TEXT}},
            )
        }  # fmt: skip
    return found


def _callback() -> Json:
    return parameter(
        "callback", "query", "A name of a function: the answer is a call of it, in JavaScript.",
        {"type": "string", "pattern": _CALLBACK},
    )  # fmt: skip


def _read(
    schema: Schema | str,
    name: str,
    summary: str,
    about: str,
    *,
    parameters: list[Json] | None = None,
    more: tuple[str, ...] = (),
    kinds: Json | None = None,
    own: dict[int, Json] | None = None,
) -> Json:
    """Return a GET whose answer may be wrapped in a call."""
    said = answer("It.", reference(schema) if isinstance(schema, str) else schema)
    said["content"] |= {**_CALLED, **(kinds or {})}
    asked = parameters if parameters is not None else [_callback()]
    return operation(
        name, summary, about, parameters=asked, answers=reading({200: said, **(own or {})}, "Wrong", *more)
    )
