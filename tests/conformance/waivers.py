"""Ask WaiverDB's API in tests: file waivers under names of one's own, list them."""

from __future__ import annotations

from typing import Any

from .places import Api, name

BASE = "//api/v1.0"
WAIVERS = f"{BASE}/waivers/"


def wish(**fields: Any) -> dict[str, Any]:
    """Return the body of a waiver about a subject that nobody else has; None leaves a field out."""
    said = {
        "subject_type": "koji_build", "subject_identifier": name("bash-5.2"), "testcase": "dist.rpmlint",
        "product_version": "fedora-40", "comment": "infra, bug 4711",
    } | fields  # fmt: skip
    return {key: value for key, value in said.items() if value is not None}


def file(api: Api, user: str = "dev1", **fields: Any) -> dict[str, Any]:
    """File a waiver as `user`; return it as answered."""
    answer = api.post(WAIVERS, json=wish(**fields), auth=(user.encode(), b"any"))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(api: Api, **query: Any) -> list[int]:
    """Return the ids of a listing."""
    answer = api.get(WAIVERS, params=query)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["data"]]


def sifted(api: Api, *filters: dict[str, Any], **more: Any) -> list[int]:
    """Return the ids that `+filtered` answers."""
    answer = api.post(f"{WAIVERS}+filtered", json={"filters": list(filters), **more})
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["data"]
    return [one["id"] for one in answer.json()["data"]]


def problems(answer: Any) -> list[tuple[Any, str, str]]:
    """Return what is wrong with a body, without the name of the alternative that the peer puts in front."""
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["validation_error"]
    return [(each["loc"], each["type"], each["msg"]) for each in answer.json()["validation_error"]]
