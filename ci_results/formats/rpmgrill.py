"""rpmgrill's report in each of its three forms: recognise it, read it. See docs/formats/rpmgrill.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .json_records import json_records, shape
from .json_values import inside, number, text, texts, took_s, when
from .junit_values import moment, seconds
from .telling import Telling
from .text_lines import first_lines
from .whole import WHOLE
from .xml_elements import Begun, Element
from .xml_head import root_name
from .xml_records import xml_records
from .yaml_records import yaml_records

TOOL = "rpmgrill"
OUTCOMES: dict[str, str] = {
    **WHOLE,
    "clean": Outcome.PASSED,
    "gripes": Outcome.NEEDS_INSPECTION,
    "module failed": Outcome.ERROR,
    "not run": Outcome.INFO,
}
_PACKED = re.compile(r'(\d+) (\S+) +: (\w+)(?: \((\d+)s\))?(?: : "(.*)")?\s*', re.DOTALL)
"""A module in YAML: `005 SpecFileSanity   : completed (0s)`, with the exception where it failed."""
_IN_XML = re.compile(rb"""<results[^>]{0,500}\stool=["']rpmgrill["']|<test\s[^>]{0,500}\border=["']\d""")
_LISTED = 100


class Rpmgrill:
    """Reads rpmgrill.json: one observation a module, then one for the whole report."""

    name: ClassVar[str] = "rpmgrill"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it calls itself rpmgrill's, or has modules with an order and results."""
        found = shape(head)
        if found.get(("results", "tool")) == TOOL:
            return True
        return ("tests", "[]", "module") in found and ("package", "name") in found

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, TOOL, OUTCOMES, checker=True)
        wanted = (("package",), ("results",), ("tests", "[]"))
        package: Mapping[str, Any] = {}
        for path, value in json_records(stream, *wanted):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path == ("package",):
                package = inside({"it": value}, "it")
            elif path == ("results",):
                telling.time = when(value, "timestamp")
            elif path == ("tests", "[]"):
                module = text(value, "module")
                if not module:
                    yield from telling.bad(value, "a module without a name")
                    continue
                failure, took = text(value, "failure_code"), took_s(value, "run_time")
                gripes = value.get("results") if isinstance(value, Mapping) else None
                yield _module(module, text(value, "status"), gripes, failure, took, telling)
        yield from telling.end(data=_nvr(package), total="modules")


class RpmgrillXML:
    """Reads rpmgrill.xml, as Rpmgrill reads its JSON."""

    name: ClassVar[str] = "rpmgrill_xml"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is results, of the tool rpmgrill or of ordered tests."""
        return root_name(head) == "results" and _IN_XML.search(head) is not None

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, TOOL, OUTCOMES, checker=True)
        package: Mapping[str, Any] = {}
        for each in xml_records(stream, telling, ("results",), ("test",)):
            if isinstance(each, Garbled):
                yield each
            elif isinstance(each, Begun) and each.name == "results":
                telling.time = moment(each.attributes.get("timestamp"))[0]
            elif isinstance(each, Begun) and each.name == "package":
                package = each.attributes
            elif isinstance(each, Element):
                gripes = [_gripe(gripe) for gripe in each.all("gripe")]
                failure, took = each.get("fail"), seconds(each.get("run_time"))
                yield _module(each.get("name"), each.get("status"), gripes, failure, took, telling)
        yield from telling.end(data=_nvr(package), total="modules")


class RpmgrillYAML:
    """Reads rpmgrill.yaml, as Rpmgrill reads its JSON."""

    name: ClassVar[str] = "rpmgrill_yaml"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it is YAML that calls itself rpmgrill's."""
        lines = [line.strip() for line in first_lines(head)[:20]]
        return "results:" in lines and "tool: rpmgrill" in lines

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, TOOL, OUTCOMES, checker=True)
        package: Mapping[str, Any] = {}
        for path, value in yaml_records(stream, ("package",), ("results",), ("tests", "[]")):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path == ("package",):
                package = inside({"it": value}, "it")
            elif path == ("results",):
                telling.time = when(value, "timestamp")
            elif path == ("tests", "[]"):
                packed, gripes = value, None
                if isinstance(value, dict):
                    packed, gripes = next(iter(value.items()), ("", None))
                if not (found := _PACKED.fullmatch(str(packed))):
                    yield from telling.bad(value, "no module that rpmgrill would write")
                    continue
                _, module, status, took, failure = found.groups()
                yield _module(module, status, gripes, failure or "", seconds(took), telling)
        yield from telling.end(data=_nvr(package), total="modules")


def _module(
    module: str, status: str, gripes: object, failure: str, took: float | None, telling: Telling
) -> Observation:
    """Tell of one module; `gripes` is a list of {code, diag, arch, subpackage, context}."""
    found = [each for each in gripes if isinstance(each, Mapping)] if isinstance(gripes, list) else []
    status = status.lower()
    word = {"failed": "module failed", "notrun": "not run", "completed": "gripes" if found else "clean"}.get(
        status, status or "no status"
    )
    data: dict[str, str | tuple[str, ...]] = {"module": plain_text.value(module)}
    if found:
        data["gripes"] = str(len(found))
        data["code"] = tuple(dict.fromkeys(plain_text.value(text(each, "code")) for each in found[:_LISTED]))
    lines = [_line(each) for each in found[:_LISTED]]
    if len(found) > _LISTED:
        lines.append(f"[... {len(found) - _LISTED:,} more ...]")
    return telling.child(
        plain_text.kebab(module),
        word,
        note=plain_text.note(plain_text.without_html(failure), "\n".join(lines)),
        duration_s=took,
        data=data,
    )


def _line(gripe: Mapping[str, Any]) -> str:
    """Say what a gripe says, in a line and the lines that it quotes: text that was HTML."""
    context = inside(gripe, "context")
    where = " ".join(filter(None, (text(gripe, "subpackage"), text(gripe, "arch"))))
    place = text(context, "path")
    if line := number(context, "lineno"):
        place = f"{place}:{line:.0f}"
    said = ": ".join(filter(None, (where, place, text(gripe, "code"), text(gripe, "diag"))))
    return plain_text.without_html("\n  ".join([said, *texts(context, "excerpt")[:5]]))


def _gripe(gripe: Element) -> Mapping[str, Any]:
    """Give a gripe of the XML as the JSON has it."""
    context = gripe.at("context")
    excerpts = [each.text for each in context.all("excerpt")] or [context.get("excerpt")]
    told: dict[str, Any] = {**context.attributes, "excerpt": list(filter(None, excerpts))}
    return {**gripe.attributes, "context": told}


def _nvr(package: Mapping[str, Any]) -> dict[str, str]:
    parts: Iterable[str] = (text(package, part) for part in ("name", "version", "release"))
    nvr = "-".join(filter(None, parts))
    return {"nvr": plain_text.value(nvr)} if nvr else {}
