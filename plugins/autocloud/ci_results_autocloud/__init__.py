"""What Autocloud, Fedora's tester of cloud images, said: its bus messages, live or saved in a folder."""

from __future__ import annotations

from typing import Any

from ci_results import Collector, Messages, hookimpl

from .collector import Autocloud, Options
from .mapping import AutocloudMessages, MessageOptions

__all__ = [
    "Autocloud",
    "AutocloudMessages",
    "MessageOptions",
    "Options",
    "register_collectors",
    "register_messages",
]


@hookimpl
def register_collectors() -> list[Collector[Any]]:
    """Offer the collector `autocloud`."""
    return [Autocloud()]


@hookimpl
def register_messages() -> list[Messages[Any]]:
    """Offer the messages `autocloud`."""
    return [AutocloudMessages()]
