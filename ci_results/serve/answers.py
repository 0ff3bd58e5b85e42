"""Facts to bytes: HTML through templates that escape everything, or the same facts as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import jinja2
import orjson
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from . import gate_words, words


class Answers:
    """Renders facts. Templates are compiled once.

    more       names that some of them use
    browsable  Datasette is there to link to
    archived   draws the link to what is kept of a run, by its address
    """

    def __init__(
        self,
        more: Mapping[str, Any] | None = None,
        *,
        browsable: bool = True,
        archived: Callable[[str | None], Markup] = lambda url: Markup(""),
    ) -> None:
        self.browsable = browsable
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self._templates.globals.update(
            outcome=words.outcome,
            coverage_mark=words.coverage,
            state_mark=words.state,
            standing=words.standing,
            verdict=gate_words.verdict,
            requirement=gate_words.requirement,
            waiver_mark=gate_words.waiver,
            change_mark=gate_words.change,
            gate_bar=gate_words.gate_bar,
            strip=gate_words.strip,
            bar=words.bar,
            link=words.link,
            breakable=words.breakable,
            duration=words.seconds,
            item_path=item_path,
            question=question,
            browsable=browsable,
            archived=archived,
            **(more or {}),
        )

    def html(
        self,
        template: str,
        facts: dict[str, Any],
        *,
        path: str,
        now: datetime,
        status: int = 200,
        query: str = "",
        **more: Any,
    ) -> Response:
        """Render a page; `path` and `query` are its address, `now` what "14 min ago" counts from.

        `more` is what the page alone is given, not its twin: what its forms need.
        """
        text = self._templates.get_template(template).render(
            facts=facts,
            path=path,
            twin=_twin(path, query),
            when=lambda time: words.when(time, now),
            ends=lambda time: gate_words.ends(time, now),
            **more,
        )
        return HTMLResponse(text, status_code=status)

    def json(self, facts: dict[str, Any], *, status: int = 200) -> Response:
        """Answer the facts themselves; every page's twin has this shape (docs/schema.md)."""
        body = orjson.dumps(facts, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        return Response(body, status_code=status, media_type="application/json")


def item_path(name: str) -> str:
    """Return the address of an item's page, e.g. "/item/rpm%2Ftier1%2342"."""
    return f"/item/{quote(name, safe='')}"


def question(name: str, **values: str | None) -> str:
    """Return the address of a ready-made question with its parameters filled in."""
    given = {key: value for key, value in values.items() if value is not None}
    return f"/browse/results/{name}" + (f"?{urlencode(given)}" if given else "")


def _twin(path: str, query: str) -> str:
    """Return the address of a page's JSON: `?format=json` is right whatever an item is called."""
    asked = [pair for pair in parse_qsl(query) if pair[0] != "format"]
    return f"{quote(path, safe='/')}?{urlencode([*asked, ('format', 'json')])}"
