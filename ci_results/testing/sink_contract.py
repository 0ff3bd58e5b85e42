"""SinkContract: inherit it, and pytest holds a sink to every rule that the outbox relies on."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, ClassVar

from ..domain.batch import Batch
from ..domain.happening import ALL_KINDS, Happening
from ..domain.result import Result
from ..errors import DeliveryError, SinkUnavailableError
from ..plugin.contract import Sink
from .guard import closed_doors
from .hooks import modules_of
from .lessons import broken
from .plugin_rules import check_hooks, check_name, check_offered, check_options


class SinkContract:
    """The rules of a sink, each a test named as the rule.

        class TestWidgetBoard(SinkContract):
            sink = WidgetBoard()
            options = Options(url="https://board.test")

    `received` says what has arrived at the far side, where a test can know it.
    """

    sink: ClassVar[Sink[Any]]
    options: ClassVar[Any]
    plugin: ClassVar[ModuleType | None] = None

    def batch(self) -> Sequence[Result]:
        """Return results to deliver."""
        return [
            Result(
                source="contract",
                key=f"k{number}",
                testcase="team.smoke",
                outcome=outcome,
                item="bash-5.2.26-3.fc40",
                item_type="koji_build",
                submit_time=datetime(2026, 3, number, 10, tzinfo=UTC),
                data={"arch": ("x86_64",)},
            )
            for number, outcome in enumerate(("PASSED", "FAILED"), 1)
        ]

    def received(self) -> int | None:
        """Return how many results have arrived, None where nobody can know; override it where one can."""
        return None

    def test_the_name_is_plain(self) -> None:
        """Lower case letters, digits and underscores."""
        check_name(self.sink)

    def test_options_cannot_change(self) -> None:
        """A frozen dataclass of values that cannot change either."""
        check_options(self.sink, self.options)

    def test_hooks_are_spelt_and_marked(self) -> None:
        """A function meant as a hook carries @hookimpl and a name that the core calls."""
        check_hooks(modules_of(self.sink, self.plugin))

    def test_a_hook_offers_the_sink(self) -> None:
        """register_sinks gives it to the core."""
        check_offered(modules_of(self.sink, self.plugin), "register_sinks", self.sink)

    def test_what_was_delivered_has_arrived(self) -> None:
        """A deliver() that returns has handed over the whole batch."""
        before = self.received()
        if before is None:
            return
        batch = self.batch()
        self.sink.deliver(self.options, Batch(batch))
        arrived = (self.received() or 0) - before
        if arrived != len(batch):
            raise broken("delivered", f"deliver() returned, and {arrived} of {len(batch)} results arrived")

    def test_what_it_takes_beside_results_it_can_be_told(self) -> None:
        """What `takes` names is known to the core, and announce() hands it over or raises DeliveryError."""
        unknown = self.sink.takes - frozenset(ALL_KINDS)
        if unknown:
            raise broken("takes", f"takes names {sorted(unknown)}; known are {', '.join(ALL_KINDS)}")
        for kind in sorted(self.sink.takes):
            try:
                self.sink.announce(self.options, [Happening(kind, 7, 0, {"id": 1})])
            except DeliveryError:
                pass
            except Exception as err:
                raise broken("takes", f"announce() ended with {type(err).__name__}: {err}") from err

    def test_a_check_sends_nothing(self) -> None:
        """check() asks and tells; it delivers no result."""
        before = self.received()
        with contextlib.suppress(DeliveryError):
            for line in self.sink.check(self.options):
                if not isinstance(line, str):
                    raise broken("checked", f"check() yields lines of text, got {line!r}")
        if before is not None and self.received() != before:
            raise broken("checked", f"check() sent {(self.received() or 0) - before} results")

    def test_an_outage_is_raised(self) -> None:
        """With the network unplugged, a sink that needs it raises SinkUnavailableError."""
        error: Exception | None = None
        with closed_doors() as outside:
            try:
                self.sink.deliver(self.options, Batch(self.batch()))
            except Exception as err:  # noqa: BLE001 a plugin call: whatever it raises is told
                error = err
        if outside and error is None:
            raise broken("delivered", f"deliver() returned although it could not reach {outside[0]}")
        if outside and not isinstance(error, SinkUnavailableError):
            raise broken("undelivered", f"unplugged, deliver() ended with {type(error).__name__}: {error}")
        if error is not None and not isinstance(error, DeliveryError):
            raise broken("undelivered", f"deliver() ended with {type(error).__name__}: {error}") from error
