"""Run: one execution at a source that many observations share, e.g. a Jenkins build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import InvalidError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What all observations of one run have in common, kept once.

    key      unique and stable within the source: "rpm/tier1/openssl#42"
    ref_url  where a person reads about the run; http or https
    data     attributes of all its results, e.g. {"job": "openssl", "BREW_TASK_ID": "61234586"};
             a value is a text or several
    """

    key: str
    ref_url: str | None = None
    data: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.key:
            raise InvalidError(f"a run needs a key, got {shown(self.key)}")
