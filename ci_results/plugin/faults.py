"""The border to plugins: whatever else they raise becomes a PluginError that names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import packages_distributions
from typing import TypeVar

from ..errors import CiResultsError, CollectError, DeliveryError, PluginError

T = TypeVar("T")


def distribution_of(plugin: object) -> str:
    """Return the distribution that `plugin`'s code came in, else its top-level module."""
    module = getattr(plugin, "__module__", None) or type(plugin).__module__
    top = module.partition(".")[0]
    names = packages_distributions().get(top)
    return names[0] if names else top


@contextmanager
def plugin_call(what: str, plugin: object) -> Iterator[None]:
    """Turn any fault but one that its contract names into a PluginError.

    It says whose it is and where: "ci-results-acme: harvest of baseos: KeyError: 'id'".
    """
    try:
        yield
    except (CollectError, DeliveryError, PluginError):
        raise
    except Exception as err:
        kind = "" if isinstance(err, CiResultsError) else f"{type(err).__name__}: "
        raise PluginError(f"{distribution_of(plugin)}: {what}: {kind}{err}") from err


def guarded(things: Iterable[T], what: str, plugin: object) -> Iterator[T]:
    """Yield `things`, each step of it a plugin call; closes the plugin's generator when closed."""
    with plugin_call(what, plugin):
        yield from things
