"""How a build's item is found, and how its testcases are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from string import Formatter

from .model import Build, Case
from .options import ItemRule, Options

MAX_LENGTH = 1024
"""The longest name of a testcase that the core takes."""


def find_item(build: Build) -> tuple[str, str] | None:
    """Return (item, type) by the first of the source's rules that finds one, None where none does."""
    for rule in build.options.item:
        for text in _texts(rule, build):
            item = _match(rule, text)
            if item:
                return item, rule.type
    return None


def missed(build: Build) -> str:
    """Say what each rule looked at in vain: "parameter NVR: absent"."""
    said = []
    for rule in build.options.item:
        texts = [text for text in _texts(rule, build) if text]
        said.append(f"{rule}: {' | '.join(repr(text[:60]) for text in texts[:3]) if texts else 'absent'}")
    return "; ".join(said) or "the source has no item rules"


def _texts(rule: ItemRule, build: Build) -> Iterator[str]:
    match rule.find:
        case "parameter":
            yield build.parameters.get(rule.name or "", "")
        case "build_name":
            yield build.name
        case "description":
            yield build.description
        case "upstream":
            yield from (f"{project}#{number}" for project, number in build.upstream)
        case "artifact":
            yield from build.artifacts
        case "job":
            yield build.job


def _match(rule: ItemRule, text: str) -> str | None:
    if rule.pattern is None:
        return text.strip() or None
    found = re.search(rule.pattern, text)
    if found is None:
        return None
    groups = {name: value or "" for name, value in found.groupdict().items()}
    if rule.template is not None:
        return rule.template.format_map(groups)
    return groups.get("item") or found[0]


def build_testcase(build: Build) -> str:
    """Return the testcase of the build itself, e.g. "baseos.rpm.openssl"."""
    return testcase_of_job(build.job, build.options)


def testcase_of_job(job: str, options: Options) -> str:
    """Return the testcase of all builds of a job."""
    return _named(options.build_testcase, options.namespace, job)


def case_testcase(case: Case) -> str:
    """Return the testcase of one case, e.g. "baseos.rpm.openssl.tests.crypto.test_sign"."""
    options = case.build.options
    scenario = ",".join(case.configuration.values())
    return _named(
        options.testcase, options.namespace, case.build.job, case.suite, case.classname, case.name, scenario
    )


@lru_cache(maxsize=65_536)
def _named(
    template: str, namespace: str, job: str, suite: str = "", classname: str = "", name: str = "",
    scenario: str = "",
) -> str:  # fmt: skip
    """Fill a template; an empty field takes the dot beside it away.

    Remembered, for the builds of a job run the same cases again and again.
    """
    known = {
        "namespace": namespace,
        "job": job.replace("/", "."),
        "folder": job.rpartition("/")[0].replace("/", "."),
        "suite": suite,
        "class": classname,
        "name": name,
        "scenario": scenario,
    }
    filled = template.format_map(known)
    if any(not known[field] for _, field, _, _ in Formatter().parse(template) if field):
        filled = re.sub(r"\.{2,}", ".", filled).strip(".")
    return filled if filled.isprintable() and len(filled) <= MAX_LENGTH else tidy(filled)


def tidy(name: str) -> str:
    r"""Make a name printable and at most MAX_LENGTH long, as the reader of JUnit files does.

    >>> tidy("tab\tbell\x07")
    'tab bell\\x07'

    White space becomes a blank, other unprintable characters their escape; a name too long is cut and
    ends in 16 hexadecimal digits of its SHA-256, so that two long names stay two.
    """
    name = "".join(map(_printable, name))
    if len(name) <= MAX_LENGTH:
        return name
    return f"{name[: MAX_LENGTH - 17]}~{sha256(name.encode()).hexdigest()[:16]}"


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()
