"""CollectorContract: inherit it, and pytest holds a collector to every rule that the core relies on."""

from __future__ import annotations

from ..errors import CollectError
from ..plugin.contract import Collector
from .blanker import Blanker
from .guard import closed_doors
from .harvest_rules import HarvestRules
from .hooks import modules_of
from .lessons import broken
from .plugin_rules import check_hooks, check_name, check_offered, check_options
from .rehearsal import new_session
from .replay import Replay, UnknownRequestError
from .trouble_rules import TroubleRules

_MAY_SHOW = {"user"}


class CollectorContract(HarvestRules, TroubleRules):
    """The rules of a collector, each a test named as the rule.

        class TestWidgetCI(CollectorContract):
            collector = WidgetCI()
            options = Options(url="https://source.test")
            recording = Path(__file__).parent / "recording"

    Nothing reaches a network: answers come from `recording`, which `ci-results plugin record` writes.
    """

    def test_the_name_is_plain(self) -> None:
        """Lower case letters, digits and underscores."""
        check_name(self.collector)

    def test_options_cannot_change(self) -> None:
        """A frozen dataclass of values that cannot change either."""
        check_options(self.collector, self.options)

    def test_hooks_are_spelt_and_marked(self) -> None:
        """A function meant as a hook carries @hookimpl and a name that the core calls."""
        check_hooks(modules_of(self.collector, self.plugin))

    def test_a_hook_offers_the_collector(self) -> None:
        """register_collectors gives it to the core."""
        check_offered(modules_of(self.collector, self.plugin), "register_collectors", self.collector)

    def test_check_tells_the_operator(self) -> None:
        """check(), where the collector has one, yields texts and raises CollectErrors only."""
        if type(self.collector).check is Collector.check:
            return
        session = new_session(Replay(self.recorded()))
        with closed_doors() as outside:
            try:
                lines = list(self.collector.check(self.options, session))
            except UnknownRequestError as err:
                raise broken("recording", f"check(): {err}") from err
            except CollectError as err:
                lines = [str(err)]
            except Exception as err:
                raise broken("check", f"check() ended with {type(err).__name__}: {err}") from err
            finally:
                session.close()
        if outside:
            raise broken("http", f"check() asked past `http`: {outside[0]}")
        wrong = [line for line in lines if not isinstance(line, str)]
        if wrong:
            raise broken("check", f"check() yielded {wrong[0]!r}")

    def test_the_recording_is_blank(self) -> None:
        """No secret, address or host name is published with the plugin."""
        blanker = Blanker()
        for exchange in self.recorded():
            blanker.learn(exchange)
        for exchange in self.recorded():
            blanker.exchange(exchange)
        found = {kind: count for kind, count in blanker.blanked.items() if kind not in _MAY_SHOW}
        if found:
            told = ", ".join(f"{count} {kind}" for kind, count in found.items())
            raise broken("blank", f"the recording shows {told}")
