"""From parsed TOML to dataclasses, strictly: nothing is coerced, an error names its key. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import cattrs
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationNote,
    StructureHandlerNotFoundError,
)

from .errors import ConfigError, PluginError, shown

_converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)


def structure(value: Any, kind: Any, where: str) -> Any:
    """Convert to `kind`, strictly: an unknown key or a wrong type is a ConfigError naming the key."""
    try:
        return _converter.structure(value, kind)
    except StructureHandlerNotFoundError as err:
        raise PluginError(f"{where}: the options have a type that no file can give: {err}") from err
    except (BaseValidationError, TypeError, ValueError, AttributeError) as err:
        key, said = _first_fault(err)
        raise ConfigError(f"{where} {key}: {said}" if key else f"{where}: {said}") from err


def placed(options: Any, folder: Path) -> Any:
    """Return a dataclass of options whose fields of type Path count from `folder`; "~" is one's home."""
    paths = {each.name: getattr(options, each.name) for each in fields(options)}
    return replace(
        options,
        **{name: folder / path.expanduser() for name, path in paths.items() if isinstance(path, Path)},
    )


def _first_fault(err: BaseException, path: str = "") -> tuple[str, str]:
    """Return the key, e.g. `items[1].pattern`, and what is wrong there, of the first fault in `err`.

    An unknown key goes first: it is the misspelt one that another fault misses.
    """
    if isinstance(err, ForbiddenExtraKeysError):
        known = ", ".join(each.name for each in fields(err.cl)) if is_dataclass(err.cl) else ""
        return _join(path, sorted(err.extra_fields)[0]), f"unknown key; known are {known}"
    if isinstance(err, BaseValidationError):
        inner = min(err.exceptions, key=lambda each: not isinstance(each, ForbiddenExtraKeysError))
        for note in getattr(inner, "__notes__", []):
            if isinstance(note, IterableValidationNote):
                path = _join(path, str(note.index))
            elif isinstance(note, AttributeValidationNote) and not isinstance(inner, KeyError):
                path = _join(path, note.name)
        return _first_fault(inner, path)
    if isinstance(err, _FaultError):
        return path + err.path if err.path.startswith("[") else _join(path, err.path), str(err)
    if isinstance(err, KeyError):
        return _join(path, str(err.args[0])), "missing"
    if isinstance(err, AttributeError):
        return path, "must be a table"
    return path, str(err)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _exact(kind: type[Any]) -> Any:
    def read(value: Any, _: object) -> Any:
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise TypeError(f"must be {_KINDS[kind]}, got {shown(value)}")
        return value

    return read


_KINDS: dict[type[Any], str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    date: "a date, as in 2027-01-31",
}
for _kind in _KINDS:
    _converter.register_structure_hook(_kind, _exact(_kind))


def register(kind: type[Any], read: Callable[[Any], Any]) -> None:
    """Let a file give values of `kind`; `read` raises ValueError or TypeError for what is none."""
    _converter.register_structure_hook(kind, lambda value, _: read(value))


def _path(value: Any, _: object) -> Path:
    if not isinstance(value, str) or not value:
        raise TypeError(f"must be the path of a file or a folder, got {shown(value)}")
    return Path(value)


_converter.register_structure_hook(Path, _path)


def _is_choice(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and len(_members(kind)) > 1


def _members(kind: Any) -> tuple[Any, ...]:
    return tuple(each for each in get_args(kind) if each is not NoneType)


def _choose(value: Any, kind: Any) -> Any:
    """Take the first member of a union that `value` fits: a text or a list of texts."""
    faults: list[Exception] = []
    for member in _members(kind):
        if isinstance(value, str) != (member is str):
            continue
        try:
            return _converter.structure(value, member)
        except (BaseValidationError, TypeError, ValueError, AttributeError) as err:
            faults.append(err)
    if faults:
        raise _FaultError(*_first_fault(faults[0]))
    raise TypeError(f"does not fit: {shown(value)}")


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in (list, tuple, frozenset, set, Sequence)


def _list(value: Any, kind: Any) -> Any:
    """Read a list; a text is none, though Python could take it apart into letters."""
    if not isinstance(value, list):
        raise TypeError(f"must be a list, got {shown(value)}")
    read = []
    for number, each in enumerate(value):
        try:
            read.append(_converter.structure(each, get_args(kind)[0]))
        except (BaseValidationError, TypeError, ValueError, AttributeError) as err:
            raise _FaultError(*_first_fault(err, f"[{number}]")) from err
    origin = get_origin(kind)
    return tuple(read) if origin is Sequence else origin(read)


class _FaultError(ValueError):
    """A fault further inside: at `path`, with the words for it."""

    def __init__(self, path: str, said: str) -> None:
        super().__init__(said)
        self.path = path


_converter.register_structure_hook_func(_is_choice, _choose)
_converter.register_structure_hook_func(_is_list, _list)
