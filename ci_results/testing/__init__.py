"""What plugin authors test with: contracts to inherit, a recorder, a replayer.

    from ci_results.testing import CollectorContract

Names are imported when asked for, because the pytest plugin of this package is loaded in every
pytest run of an environment that has it, and must cost nothing there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .collector_contract import CollectorContract as CollectorContract
    from .format_contract import FormatContract as FormatContract
    from .message_contract import MessageContract as MessageContract
    from .recorder import Recorder as Recorder
    from .replay import Replay as Replay
    from .rule_contract import RuleContract as RuleContract
    from .sink_contract import SinkContract as SinkContract
    from .store_contract import StoreContract as StoreContract

_HOMES = {
    "CollectorContract": "collector_contract",
    "FormatContract": "format_contract",
    "MessageContract": "message_contract",
    "Recorder": "recorder",
    "Replay": "replay",
    "RuleContract": "rule_contract",
    "SinkContract": "sink_contract",
    "StoreContract": "store_contract",
}


def __getattr__(name: str) -> object:
    """Import the module of a public name when it is first asked for."""
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
