"""Our Datasette plugin: it works the same mounted in our server and under a plain `datasette FILE`."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from datasette import hookimpl

from ..bounds import ALL_COLUMNS, LESS_READ, Application, bounded
from ..cells import cell
from ..metadata import find_ours, home, ours, under_other_names

if TYPE_CHECKING:
    from datasette.app import Datasette

NAME = "ci_results"


@hookimpl
def startup(datasette: Datasette) -> Callable[[], Awaitable[None]]:
    """Find out which databases are ours before anything is asked."""

    async def look() -> None:
        await find_ours(datasette)

    return look


@hookimpl
def get_metadata(datasette: Datasette) -> dict[str, Any]:
    """Give our titles and questions to databases of ours whatever their file is called."""
    return under_other_names(datasette)


@hookimpl
def asgi_wrapper(datasette: Datasette) -> Callable[[Application], Application]:
    """Keep the pages of big views bounded."""

    def wrap(app: Application) -> Application:
        return bounded(app, datasette)

    return wrap


@hookimpl
def render_cell(value: object, column: str, table: str | None, database: str, datasette: Datasette) -> object:
    """Draw cells of our databases, leave others alone."""
    return cell(value, column, table, database, datasette) if database in ours(datasette) else None


@hookimpl
def extra_css_urls(datasette: Datasette) -> list[str]:
    """Lay our one stylesheet over Datasette's own."""
    return [datasette.urls.static_plugins(NAME, "style.css")] if ours(datasette) else []


@hookimpl
def extra_js_urls(datasette: Datasette, database: str | None, view_name: str) -> list[str]:
    """Draw charts where a question may have one; both files come from this host."""
    if view_name not in ("table", "database") or database not in ours(datasette):
        return []
    return [datasette.urls.static_plugins(NAME, name) for name in ("chart.umd.min.js", "charts.js")]


@hookimpl
def extra_template_vars(datasette: Datasette, database: str | None) -> dict[str, object]:
    """Tell our templates where our own pages are, and whether this database is one of ours."""
    return {
        "ci_home": home(datasette),
        "ci_ours": database in ours(datasette),
        "ci_databases": sorted(ours(datasette)),
    }


@hookimpl
def table_actions(datasette: Datasette, database: str, table: str) -> list[dict[str, str]]:
    """Offer the columns that a page of a big view leaves out at first."""
    if database not in ours(datasette) or not LESS_READ.get(table):
        return []
    return [{"href": f"{datasette.urls.table(database, table)}?{ALL_COLUMNS}=1", "label": "Show all columns"}]
