"""Listening in a test: to one bus, until nothing waits any more."""

from __future__ import annotations

from typing import Any

from ci_results.bus.choosing import choose
from ci_results.decide.policy_set import load
from ci_results.domain.bus_message import ListenerState
from ci_results.operations.events import EventDoor
from ci_results.operations.ingest import Ingest, Taking
from ci_results.operations.listen import Ear, Surroundings, listen
from ci_results.plugin.manager import load_plugins
from ci_results.store.protocol import Store


def listen_once(url: str, store: Store, **taking: Any) -> ListenerState:
    """Take what waits into a store; `taking` says how. Return how it went."""
    plugins, how = load_plugins(), Taking(name="in", **taking)
    door = EventDoor(store=store, policies=load([], plugins.rule_types))
    around = Surroundings(store=store, plugins=plugins, door=door, once=True)
    (state,) = listen([Ear(bus=choose(url), taking=how, ingest=Ingest(how, plugins))], around)
    return state
