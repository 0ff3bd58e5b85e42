"""Schema check: is this JSON what it should be, and if not, where, and what is expected there? Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from ..errors import InvalidError, NotFoundError, shown

DRAFT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "#/components/schemas/"
_LEAST = 0.5
"""Of the names in a document and of those it needs, so many must be a schema's own to take it for that."""
_WORDS: Mapping[str, str] = {"string": "text", "array": "list"}

Schemas = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong.

    line      of the document, where it is a JSON object a line; else None
    path      where in the value: "$.data.item"
    expected  what is taken there, in words
    found     what is there
    """

    path: str
    expected: str
    found: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a document was held against, and what is wrong with it."""

    schema: str
    values: int
    faults: tuple[Fault, ...]


def whole(name: str, schemas: Schemas) -> dict[str, Any]:
    """Return one schema, complete in itself, as JSON Schema 2020-12. Raises NotFoundError."""
    if name not in schemas:
        raise NotFoundError(f"no schema {shown(name)}; see: ci-results schema list")
    needed: dict[str, Any] = {}
    body = _local(schemas[name], schemas, needed)
    body.pop("$schema", None)
    said = {"$schema": DRAFT, "$id": f"urn:ci-results:schema:{name}", "title": name, **body}
    return said | ({"$defs": needed} if needed else {})


def check(raw: bytes, schemas: Schemas, name: str | None = None) -> Checked:
    """Hold a document, JSON or a JSON value a line, against the schema `name`, or the one it looks like.

    Raises InvalidError for what is no JSON or looks like nothing that is known, NotFoundError for `name`.
    """
    values = list(_values(raw))
    if not values:
        raise InvalidError("the document is empty")
    chosen = name or recognise(values[0][1], schemas)
    validator = Draft202012Validator(whole(chosen, schemas))
    faults = dict.fromkeys(
        fault
        for line, value in values
        for fault in _faults(validator, value, line if len(values) > 1 else None)
    )
    return Checked(schema=chosen, values=len(values), faults=tuple(faults))


def recognise(value: object, schemas: Schemas) -> str:
    """Return the name of the schema that `value` looks like: what it satisfies, else whose names it has."""
    ranked = sorted(((_likeness(value, schemas[name], schemas), name) for name in schemas), reverse=True)
    near = [name for likeness, name in ranked if likeness >= _LEAST and likeness > ranked[0][0] - 0.2][:12]
    if not near:
        raise InvalidError("looks like nothing that is known; say --schema NAME of: ci-results schema list")
    for name in near:
        if Draft202012Validator(whole(name, schemas)).is_valid(value):
            return name
    return near[0]


def expected(schema: Any) -> str:
    """Say in words what a schema takes.

    >>> expected({"type": ["string", "null"], "maxLength": 9}), expected({"type": "array", "items": {}})
    ('text (at most 9 characters) or null', 'list of anything')
    """
    if schema is True or not schema:
        return "anything"
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(expected(each) for each in schema["anyOf"]))
    if "$ref" in schema:
        return f"what the schema {schema['$ref'].rpartition('/')[2]} says"
    types = schema.get("type", "anything")
    return " or ".join(_typed(each, schema) for each in ([types] if isinstance(types, str) else types))


def _typed(kind: str, schema: Mapping[str, Any]) -> str:
    if kind == "array":
        return f"list of {expected(schema.get('items'))}"
    if kind == "object" and schema.get("required"):
        return f"object with {', '.join(schema['required'])}"
    word = _WORDS.get(kind, kind)
    if kind == "string":
        said = [
            f"at least {schema['minLength']} characters" if "minLength" in schema else "",
            f"at most {schema['maxLength']} characters" if "maxLength" in schema else "",
            f"matching {schema['pattern']}" if "pattern" in schema and len(schema["pattern"]) > 12 else "",
        ]
    elif kind in ("integer", "number"):
        said = [f"at least {schema['minimum']}" if "minimum" in schema else ""]
    else:
        said = []
    said = [each for each in said if each]
    return f"{word} ({', '.join(said)})" if said else word


def _faults(validator: Draft202012Validator, value: object, line: int | None) -> Iterator[Fault]:
    for error in sorted(validator.iter_errors(value), key=lambda each: list(map(str, each.absolute_path))):
        found = _nearest(error)
        yield Fault(path=found.json_path, expected=_wanted(found), found=_seen(found), line=line)


def _nearest(error: ValidationError) -> ValidationError:
    """Go into alternatives as far as one of them is clearly meant: the one that fits deepest."""
    while error.validator in ("anyOf", "oneOf") and error.context:
        inner = best_match(iter(error.context))
        if inner is None or len(inner.absolute_path) == len(error.absolute_path):
            return error
        error = inner
    return error


def _wanted(error: ValidationError) -> str:
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"member {', '.join(missing)}"
    if error.validator in ("minItems", "maxItems"):
        which = "at least" if error.validator == "minItems" else "at most"
        return f"{which} {error.validator_value} elements"
    if error.validator == "pattern" and "propertyNames" in error.absolute_schema_path:
        return f"a name matching {error.validator_value}"
    return expected(error.schema)


def _seen(error: ValidationError) -> str:
    if error.validator == "required":
        return f"none among {', '.join(map(str, error.instance)) or 'no members'}"[:80]
    if error.validator in ("minItems", "maxItems"):
        return str(len(error.instance))
    return shown(error.instance)


def _values(raw: bytes) -> Iterator[tuple[int, object]]:
    """Yield (line, value): one of the whole document, or else one of each line."""
    text = raw.decode("utf-8-sig", "surrogateescape")
    try:
        yield 1, json.loads(text)
        return
    except RecursionError as err:
        raise InvalidError("is nested too deep") from err
    except ValueError as err:
        first = err
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    for number, line in lines:
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as err:
            if number == lines[0][0]:
                raise InvalidError(f"is no JSON: {first}") from err
            raise InvalidError(f"line {number} is no JSON: {err}") from err


def _likeness(value: object, schema: Mapping[str, Any], schemas: Schemas, deep: int = 3) -> float:
    """Say from 0 to 1 how many names `value` and `schema` have in common; those inside count for less."""
    schema = _followed(schema, schemas)
    if isinstance(value, list):
        if schema.get("type") != "array":
            return 0.0
        return _likeness(value[0], schema.get("items", {}), schemas, deep) if value else _LEAST
    if not isinstance(value, dict) or schema.get("type") != "object":
        return 0.0
    known: Mapping[str, Any] = schema.get("properties", {})
    names, needed = set(value), set(schema.get("required", ()))
    if not names | needed:
        return 0.0
    common = len(names & set(known)) / len(names | needed)
    inside = [
        _likeness(value[name], known[name], schemas, deep - 1)
        for name in names & set(known)
        if deep and value[name] and {"properties", "items"} & _followed(known[name], schemas).keys()
    ]
    return 0.7 * common + 0.3 * sum(inside) / len(inside) if inside else common


def _followed(schema: Mapping[str, Any], schemas: Schemas) -> Mapping[str, Any]:
    name = str(schema.get("$ref", "")).removeprefix(REFERENCE)
    return schemas.get(name, schema)


def _local(schema: Any, schemas: Schemas, needed: dict[str, Any]) -> Any:
    """Copy a schema, its references made to lead into `needed`, which is filled."""
    if isinstance(schema, Mapping):
        target = schema.get("$ref")
        if isinstance(target, str) and target.startswith(REFERENCE):
            name = target.removeprefix(REFERENCE)
            if name not in needed:
                needed[name] = {}
                needed[name] = _local(schemas[name], schemas, needed)
            return {"$ref": f"#/$defs/{name}"}
        return {key: _local(value, schemas, needed) for key, value in schema.items()}
    if isinstance(schema, Sequence) and not isinstance(schema, str):
        return [_local(each, schemas, needed) for each in schema]
    return schema
