"""Greenwave's API 1.0, wire-compatible: COMPAT section 3. Routes only; the JSON comes from `wire`."""

from __future__ import annotations

from ..api_v1_0 import Service, healthcheck
from ..surroundings import Surroundings
from .deciding import Deciding
from .described import part
from .telling import Telling, headers, told

NAME = "greenwave"


def service(around: Surroundings) -> Service:
    """Return all that there is of it."""
    telling, deciding = Telling(around, f"/{NAME}"), Deciding(around)
    return Service(
        name=NAME,
        endpoints={
            "": {"GET": telling.move},
            "/": {"GET": telling.landing},
            "/about": {"GET": telling.about},
            "/version": {"GET": telling.version},
            "/policies": {"GET": telling.policies},
            "/subject_types": {"GET": telling.subject_types},
            "/decision": {"POST": deciding.decide},
            "/validate-gating-yaml": {"POST": telling.validate},
        },
        beside={
            "": {"GET": telling.move},
            "/": {"GET": telling.landing},
            "/healthcheck": {"GET": healthcheck},
        },
        parts=[part(around, NAME)],
        told=told,
        headers=headers(around.settings.cors),
    )
