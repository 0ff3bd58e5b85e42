"""Subject types: those that every installation knows, and files of further ones. Obeys COMPAT 3.6."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..domain.policy import Place
from ..domain.subject import Match, Selector, SubjectType
from .findings import Finding, Level
from .rules import odd_keys
from .values import Attributes, boolean, text, texts
from .yaml_tree import Node, Unreadable, read_documents

BUILT_IN = (
    SubjectType(id="bodhi_update", ignore_missing_policy=True),
    SubjectType(
        id="compose",
        item_key="productmd.compose.id",
        item_dict=Selector("productmd.compose.id"),
        result_queries=(
            Selector("item", (("type", "compose"),)),
            Selector("productmd.compose.id"),
        ),
        product_version_match=(Match(r"^(RHEL-\d*)\..*", r"\1"),),
    ),
    SubjectType(
        id="koji_build",
        aliases=("brew-build",),
        is_koji_build=True,
        is_nvr=True,
        item_key="original_spec_nvr",
        result_queries=(
            Selector("item", (("type", "koji_build,brew-build"),)),
            Selector("original_spec_nvr"),
        ),
        product_version_from_koji_build_target=(
            Match(r"^(rhel-\d+\.\d+).*", r"\1"),
            Match(r"^(rhel-\d+).*", r"\1"),
        ),
    ),
    SubjectType(
        id="redhat-container-image",
        is_koji_build=True,
        is_nvr=True,
        item_key="nvr",
        product_version="rhel-8",
        result_queries=(
            Selector("nvr", (("type", "redhat-container-image"),)),
            Selector("item", (("type", "koji_build"),)),
        ),
    ),
    SubjectType(id="redhat-module", product_version="rhel-8"),
)

_KEYS = tuple(SubjectType.__dataclass_fields__)


def read_subject_types(file: str, content: bytes, findings: list[Finding]) -> Iterator[SubjectType]:
    """Yield the subject types of a file; what is wrong or odd goes to `findings`."""
    try:
        for document in read_documents(content):
            try:
                yield _subject_type(document)
                findings.extend(odd_keys(file, "!SubjectType", document, list(_KEYS)))
            except Unreadable as err:
                place = Place(file, err.line or document.line)
                findings.append(Finding(Level.ERROR, "unreadable", place, err.message))
    except Unreadable as err:
        findings.append(Finding(Level.ERROR, "unreadable", Place(file, err.line), err.message))


def _subject_type(node: Node) -> SubjectType:
    if not isinstance(node.value, dict):
        raise Unreadable("Expected mapping for !SubjectType tagged object", node.line)
    given = Attributes(node)
    try:
        return SubjectType(
            id=given.required("id", text),
            aliases=given.optional("aliases", texts) or (),
            item_key=given.optional("item_key", text),
            is_koji_build=given.optional("is_koji_build", boolean) or False,
            is_nvr=given.optional("is_nvr", boolean) or False,
            ignore_missing_policy=given.optional("ignore_missing_policy", boolean) or False,
            product_version_match=given.optional("product_version_match", _matches) or (),
            product_version_from_koji_build_target=given.optional(
                "product_version_from_koji_build_target", _matches
            )
            or (),
            product_version=given.optional("product_version", text),
            item_dict=given.optional("item_dict", _selector),
            result_queries=given.optional("result_queries", _selectors) or (),
        )
    except Unreadable as err:
        named = node.value.get("id")
        name = named.value if named is not None and named.value else "untitled"
        raise Unreadable(f"SubjectType {str(name)!r}: {err.message}", err.line) from err


def _matches(node: Node) -> tuple[Match, ...]:
    return tuple(_match(given) for given in _mappings(node))


def _match(given: Attributes) -> Match:
    found = Match(given.required("match", text), given.required("product_version", text))
    try:
        nothing = re.compile(f"(?:{found.match})|").match("")
        if nothing is not None:
            nothing.expand(found.product_version)
    except (re.error, IndexError) as err:
        raise Unreadable(f"{found.match!r} cannot become {found.product_version!r}: {err}") from err
    return found


def _selectors(node: Node) -> tuple[Selector, ...]:
    return tuple(_select(given) for given in _mappings(node))


def _selector(node: Node) -> Selector:
    if not isinstance(node.value, dict):
        raise Unreadable("Expected a mapping", node.line)
    return _select(Attributes(node))


def _select(given: Attributes) -> Selector:
    return Selector(given.optional("item_key", text), given.optional("keys", _pairs) or ())


def _pairs(node: Node) -> tuple[tuple[str, str], ...]:
    if not isinstance(node.value, dict):
        raise Unreadable("Expected a mapping", node.line)
    return tuple((key, text(value)) for key, value in node.value.items())


def _mappings(node: Node) -> list[Attributes]:
    if not isinstance(node.value, list) or not all(isinstance(each.value, dict) for each in node.value):
        raise Unreadable("Expected list of mappings", node.line)
    return [Attributes(each) for each in node.value]
