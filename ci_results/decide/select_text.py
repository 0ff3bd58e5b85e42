"""The SQL that a rule may be: read to its parts, of which a closed list is allowed, and written for a store.

What is run is written from the parts that were looked at, never the text itself. Views and functions
are those whose answer the facts alone decide; rows have an order, so that the same facts give the
same rows on either kind of store.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import shown

if TYPE_CHECKING:
    from sqlglot import exp

VIEWS = frozenset({"result", "latest_result", "testcase", "daily", "daily_testcase", "source", "job"})
PARAMETERS = frozenset({"item", "item_type", "package", "product_version"})
MAX_LENGTH = 8_000
_ALLOWED = frozenset(
    (
        *("Select", "From", "Join", "Table", "TableAlias", "Alias", "Identifier", "Column", "Star", "Tuple"),
        *("Literal", "Null", "Boolean", "Placeholder", "Where", "And", "Or", "Not", "EQ", "NEQ", "GT", "GTE"),
        *("LT", "LTE", "Is", "In", "Between", "Like", "Paren", "Count", "Sum", "Min", "Max", "Avg", "Case"),
        *("Coalesce", "Nullif", "Lower", "Upper", "Length", "Abs", "Round", "Substring", "Trim", "Cast"),
        *("If", "DataType", "Add", "Sub", "Mul", "Div", "Mod", "Neg", "DPipe", "Group", "Having", "Order"),
        *("Ordered", "Limit", "Offset", "Distinct", "With", "CTE", "Subquery", "Union", "Except"),
        *("Intersect", "Exists", "JSONExtract", "JSONExtractScalar", "JSONPath", "JSONPathRoot"),
        *("JSONPathKey", "JSONPathSubscript"),
    )
)
"""What sqlglot calls the parts that a SELECT may have."""

_CASTS = frozenset({"TEXT", "VARCHAR", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL"})


def faults(select: str) -> list[str]:
    """Return why a text is no SELECT that a rule may be."""
    return list(_read(select)[1])


def parameters(select: str) -> frozenset[str]:
    """Return the names of its parameters: {"item"}."""
    return _read(select)[0]


@lru_cache(maxsize=2_000)
def counting(select: str, dialect: str) -> str:
    """Return SQL that gives no row, but the columns of `select`. Raises ValueError with its first fault."""
    query = _sound(select).copy()
    return _written(query.limit(0) if query.args.get("limit") is None else _limited(query, 0), dialect)


@lru_cache(maxsize=2_000)
def ordered(select: str, dialect: str, columns: int, most: int) -> str:
    """Return SQL for its first rows, at most `most`: those of one place in its order go by their columns.

    dialect  "sqlite" or "postgres"; parameters stay `:name` in both. Raises ValueError with its first fault.

    >>> ordered("select item from result where testcase = :item order by time desc", "sqlite", 1, 20)
    'SELECT item FROM result WHERE testcase = :item ORDER BY time DESC, 1 LIMIT 20'
    """
    query = _sound(select).copy()
    query = query.order_by(*map(str, range(1, columns + 1)), append=True, dialect="sqlite", copy=False)
    return _written(_limited(query, most), dialect)


def _limited(query: exp.Query, most: int) -> exp.Query:
    limit = query.args.get("limit")
    given = most if limit is None else int(limit.expression.this)
    return query.limit(min(given, most), copy=False)


def _written(query: exp.Query, dialect: str) -> str:
    """Write a query; LIKE passes over case and knows no escape, as in SQLite, and JSON gives texts."""
    from sqlglot import exp

    def change(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.JSONExtract):
            node = exp.JSONExtractScalar(this=node.this, expression=node.expression)
        if dialect != "postgres":
            return node
        if isinstance(node, exp.Placeholder):
            return exp.var(f":{node.name}")
        if isinstance(node, exp.Like):
            return exp.Escape(
                this=exp.ILike(this=node.this, expression=node.expression), expression=exp.Literal.string("")
            )
        if isinstance(node, exp.JSONExtractScalar):
            node.set("this", exp.cast(node.this, "json", dialect="postgres"))
        return node

    return query.transform(change).sql(dialect=dialect)


def _sound(select: str) -> exp.Query:
    _, wrong, query = _read(select)
    if wrong or query is None:
        raise ValueError(wrong[0])
    return query


@lru_cache(maxsize=2_000)
def _read(select: str) -> tuple[frozenset[str], tuple[str, ...], exp.Query | None]:
    """Return the parameters of a SELECT, what is wrong with it, and its parts."""
    import sqlglot  # 85 ms, which only those pay who have such a rule
    from sqlglot import exp

    if len(select) > MAX_LENGTH:
        return frozenset(), (f"select: longer than {MAX_LENGTH} characters",), None
    try:
        statements = sqlglot.parse(select, dialect="sqlite")
    except sqlglot.errors.SqlglotError as err:
        return frozenset(), (f"select: {str(err).splitlines()[0]}",), None
    except RecursionError:
        return frozenset(), ("select: nested too deeply",), None
    if (
        len(statements) != 1
        or not isinstance(statements[0], (exp.Select, exp.SetOperation))
        or not statements[0].selects
    ):
        return frozenset(), ("select: must be one SELECT",), None
    query, wrong = statements[0], _strange_tables(statements[0])
    used = set()
    for node in query.walk():
        kind = type(node).__name__
        if isinstance(node, exp.Placeholder):
            used.add(node.name)
            if node.name not in PARAMETERS:
                known = ", ".join(f":{name}" for name in sorted(PARAMETERS))
                wrong.append(f"select: no parameter {shown(node.sql())}; there are {known}")
        elif isinstance(node, exp.With) and node.args.get("recursive"):
            wrong.append("select: a recursive WITH has no bound")
        elif isinstance(node, (exp.Limit, exp.Offset)):
            wrong += _chance(node)
        elif isinstance(node, exp.DataType) and node.this.name not in _CASTS:
            wrong.append(f"select: no cast to {shown(node.sql())}; there are text, integer, real, numeric")
        elif kind not in _ALLOWED and not isinstance(node, exp.Table):
            wrong.append(
                f"select: {shown(node.sql())} is not allowed in a rule: its answer must follow from facts"
            )
    try:
        query.sql()
    except RecursionError:
        return frozenset(), ("select: nested too deeply",), None
    return frozenset(used), tuple(dict.fromkeys(wrong)), query


def _chance(node: exp.Limit | exp.Offset) -> list[str]:
    """Return what is wrong with how rows are cut off."""
    number = node.expression
    if not (type(number).__name__ == "Literal" and number.is_int):
        return [f"select: {shown(node.sql().strip())}: must be a number"]
    if node.parent is not None and node.parent.args.get("order") is None:
        return [f"select: {shown(node.sql().strip())} without ORDER BY keeps rows by chance"]
    return []


def _strange_tables(query: exp.Query) -> list[str]:
    """Return what is wrong with the tables it names: views, and what a WITH at its head named before."""
    from sqlglot import exp

    found, named = [], set(VIEWS)
    ctes: list[exp.CTE] = list(query.ctes)
    if len(ctes) < len(list(query.find_all(exp.CTE))):
        found.append("select: a WITH may stand at its head only")
    inside = {id(table) for cte in ctes for table in cte.find_all(exp.Table)}
    rest = [table for table in query.find_all(exp.Table) if id(table) not in inside]
    for tables, name in [*((list(cte.find_all(exp.Table)), cte.alias) for cte in ctes), (rest, "")]:
        for table in tables:
            plain = isinstance(table.this, exp.Identifier) and not table.args.get("db")
            if not plain or table.name not in named:
                known = ", ".join(sorted(VIEWS))
                found.append(
                    f"select: {shown(table.sql())} is no view that a rule may read; those are {known}"
                )
        if name.lower() in VIEWS:
            found.append(f"select: a WITH must not take the name of a view: {shown(name)}")
        named.add(name)
    return found
