"""A rule of ours that is a SELECT on the public views: read here, run by the store, judged as a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..domain.asked import Asked, Question, SelectOf
from ..domain.decision import Requirement, State
from ..domain.rule import RuleType
from ..domain.weighing import Weighing
from .select_text import faults, parameters

MOST_ROWS = 20
_EXPECT = ("no rows", "rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectOptions:
    """Keys of !SelectRule.

    name    what it goes by, as a testcase would; a waiver names it
    select  one SELECT; it may name :item :item_type :package :product_version
    expect  "no rows" (what it finds is wrong) or "rows" (something must be found)
    """

    name: str
    select: str
    expect: str = "no rows"


class Select(RuleType[SelectOptions]):
    """A question in SQL whose answer opens or closes the gate."""

    name = "SelectRule"
    options = SelectOptions
    trusted: ClassVar[bool] = True

    def questions(self, options: SelectOptions, asked: Asked) -> Iterable[Question]:
        """Ask for the rows."""
        return (self._question(options, asked),)

    def _question(self, options: SelectOptions, asked: Asked) -> SelectOf:
        values = {
            "item": asked.subject.identifier,
            "item_type": asked.subject.type,
            "package": asked.package,
            "product_version": asked.request.product_version,
        }
        used = parameters(options.select)
        return SelectOf(options.select, tuple((name, values[name]) for name in sorted(used)), MOST_ROWS)

    def judge(self, options: SelectOptions, weighing: Weighing) -> Sequence[Requirement]:
        """One requirement; its words show the first rows."""
        question = self._question(options, weighing.asked)
        selected = weighing.facts.selects.get(question)
        if selected is None:
            told = weighing.facts.unanswered.get(question, "the SELECT was not run")
            return [weighing.told(State.UNKNOWN, options.name, told)]
        if selected.error is not None:
            return [weighing.told(State.UNKNOWN, options.name, f"the SELECT failed: {selected.error}")]
        rows = selected.rows
        if options.expect == "rows":
            state = State.PASSED if rows else State.MISSING
        else:
            state = State.FAILED if rows else State.PASSED
        said = "no rows" if not rows else "; ".join(", ".join(map(str, row)) for row in rows[:3])
        more = f" and {len(rows) - 3} more rows" if len(rows) > 3 else ""
        return [weighing.told(state, options.name, f"{options.expect} expected, found: {said}{more}")]

    def monotonic(self, options: SelectOptions) -> bool:
        """SQL may say anything."""
        return False

    def check(self, options: SelectOptions) -> Iterator[str]:
        """Read the SELECT."""
        if not options.name.isprintable() or not options.name.strip():
            yield "name: must be a printable text"
        if options.expect not in _EXPECT:
            yield f"expect: must be one of {', '.join(_EXPECT)}"
        yield from faults(options.select)
