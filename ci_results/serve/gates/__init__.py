"""Pages about items and what stands in their way: why is this gated, two side by side, policies."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from ..answers import Answers
from ..surroundings import Surroundings
from .finding import Finder
from .item import ItemPages
from .policies import PolicyPages


def routes(around: Surroundings, answers: Answers, finder: Finder) -> list[BaseRoute]:
    """Return the routes, the twins among them."""
    items, policies = ItemPages(around, answers, finder), PolicyPages(around, answers)
    return [
        Route("/find", items.find),
        Route("/item/{name:path}", items.item),
        Route("/compare", items.compare),
        Route("/compare.json", items.compare),
        Route("/policies", policies.policies),
        Route("/policies.json", policies.policies),
    ]
