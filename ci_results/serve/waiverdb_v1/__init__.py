"""WaiverDB's API 1.0, wire-compatible: COMPAT section 2. Routes only; the JSON comes from `wire`."""

from __future__ import annotations

from functools import partial

from ...errors import UnauthorisedError
from ..api_v1_0 import Service, healthcheck
from ..auth.access import Access
from ..surroundings import Surroundings
from ..telling import CHALLENGE, Told, message
from . import described
from .asking import Askers
from .form import Form
from .reading import Reading, told_here
from .saying import Saying
from .writing import Writing

NAME = "waiverdb"
NO_METHODS = "Authenticated user required. No methods specified."


def service(around: Surroundings) -> Service:
    """Return all that there is of it."""
    reading, saying = Reading(around), Saying(around)
    askers = Askers(around.access)
    writing = Writing(around, askers)
    form = Form(around, askers, writing)
    return Service(
        name=NAME,
        endpoints={
            "/waivers": {"GET": reading.add_slash, "POST": reading.add_slash},
            "/waivers/": {"GET": reading.listing, "POST": writing.create},
            "/waivers/+filtered": {"POST": reading.filtered},
            "/waivers/+by-subjects-and-testcases": {"POST": reading.by_subjects},
            "/waivers/new": {"GET": form.show, "POST": writing.create_one},
            "/waivers/new/new_waiver.js": {"GET": form.script},
            "/waivers/create": {"GET": form.lead_to_form},
            "/waivers/{id}": {"GET": reading.one},
            "/": {"GET": form.lead_to_reference},
            "/swagger.json": {"GET": form.lead_to_document},
            **{f"/{name}{slash}": {"GET": getattr(saying, name)} for name in SAYING for slash in ("", "/")},
        },
        beside={"/healthcheck": {"GET": healthcheck}},
        parts=[described.part(around, NAME)],
        told=partial(told, around.access),
    )


SAYING = ("about", "config", "permissions")


def told(access: Access, err: Exception) -> Told | None:
    """Return what the client is told of an error; who is not known hears why each method failed."""
    if not isinstance(err, UnauthorisedError):
        return told_here(err)
    failed = [f"- Authentication method {name} failed: 401 Unauthorized: {err}" for name in access.methods]
    text = "\n".join(["Authentication failed:", *failed]) if failed else NO_METHODS
    return message(401, text, CHALLENGE)
