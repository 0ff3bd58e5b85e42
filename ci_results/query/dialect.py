"""Dialect: the few fragments of SQL that SQLite and PostgreSQL say differently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

WILD = "*%_"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one database says what the common text cannot.

    numbers    parameter -> a table with the column `value` of the numbers in that parameter, a JSON list
    among      (column, parameter) -> a condition: the column is one of those numbers
    texts      like numbers, of texts
    triples    parameter -> a table with the columns `a`, `b`, `c` of the numbers in that parameter, a
               JSON list of lists of three
    matches    (column, parameter) -> a condition: the column matches the pattern in the parameter
    pattern    a pattern as people write it (see `low_high`) -> what `matches` takes
    has_key    (column, parameter) -> a condition: the JSON object in the column has that key
    order      column -> what to order by, so that an index on that column gives the order
    pairs      SQL for ids of pairs: parameters :key and :values, a JSON list; gives value, id
    pair       the same for one :value
    first_word column -> what stands before its first dot, all of it without one
    """

    numbers: Callable[[str], str]
    among: Callable[[str, str], str]
    texts: Callable[[str], str]
    triples: Callable[[str], str]
    matches: Callable[[str, str], str]
    pattern: Callable[[str], str]
    has_key: Callable[[str, str], str]
    order: Callable[[str], str]
    pairs: str
    pair: str
    first_word: Callable[[str], str]


def glob(pattern: str) -> str:
    """Translate a pattern to SQLite's GLOB, which keeps case and takes an index by its prefix.

    >>> glob("dist.*_[x]?")
    'dist.*?[[]x][?]'
    """
    return "".join({"%": "*", "_": "?", "?": "[?]", "[": "[[]"}.get(letter, letter) for letter in pattern)


def like(pattern: str) -> str:
    r"""Translate a pattern to LIKE with a backslash as its escape.

    >>> like("50%*\\")
    '50%%\\\\'
    """
    return pattern.replace("\\", "\\\\").replace("*", "%")


def low_high(pattern: str) -> tuple[str, str]:
    """Give the range that holds every text with the pattern's prefix: `low <= text < high`.

    In a pattern `*` and `%` stand for any run of characters and `_` for any one.

    >>> low_high("dist.*")
    ('dist.', 'dist.\\U0010ffff')
    """
    prefix = pattern
    for letter in WILD:
        prefix = prefix.partition(letter)[0]
    return prefix, f"{prefix}\U0010ffff"


SQLITE = Dialect(
    numbers=lambda name: f"json_each(:{name})",
    among=lambda column, name: f"{column} in (select value from json_each(:{name}))",
    texts=lambda name: f"json_each(:{name})",
    triples=lambda name: (
        "(select json_extract(value, '$[0]') as a, json_extract(value, '$[1]') as b,"
        f" json_extract(value, '$[2]') as c from json_each(:{name}))"
    ),
    matches=lambda column, name: f"{column} glob :{name}",
    pattern=glob,
    has_key=lambda column, name: f"exists (select 1 from json_each({column}) where key = :{name})",
    order=lambda column: column,
    pairs="select value, id from _pair where key = :key and value in (select value from json_each(:values))",
    pair="select value, id from _pair where key = :key and value = :value",
    first_word=lambda column: f"substr({column}, 1, instr({column} || '.', '.') - 1)",
)

POSTGRES = Dialect(
    numbers=lambda name: f"_numbers(:{name})",
    among=lambda column, name: f"{column} = any(translate(:{name}, '[]', '{{}}')::bigint[])",
    texts=lambda name: f"json_array_elements_text(:{name}::json)",
    triples=lambda name: (
        "(select (value ->> 0)::bigint as a, (value ->> 1)::bigint as b, (value ->> 2)::bigint as c"
        f" from json_array_elements(:{name}::json))"
    ),
    matches=lambda column, name: (
        f"{column} like :{name}"
        f" and {_head(column)} between {_head(f':{name}_low')} and {_head(f':{name}_high')}"
    ),
    pattern=like,
    has_key=lambda column, name: f"({column}::json -> :{name}) is not null",
    order=lambda column: f"{_head(column)}, {column}",
    pairs="select a.value, p.id from json_array_elements_text(:values::json) a join _pair p on p.key = :key"
    " and p.value = a.value and _digest(p.key) = _digest(:key) and _digest(p.value) = _digest(a.value)",
    pair="select value, id from _pair where key = :key and value = :value"
    " and _digest(key) = _digest(:key) and _digest(value) = _digest(:value)",
    first_word=lambda column: f"split_part({column}, '.', 1)",
)
"""An index of PostgreSQL takes texts up to 2.7 kB, so that they are indexed by their first 300 characters."""


def _head(text: str) -> str:
    return f"left({text}, 300)"
