"""The Celery application of the configuration that is here.

    celery -A ci_results.spread.app worker
    celery -A ci_results.spread.app beat

The configuration is found as `ci-results` finds it: CI_RESULTS_CONFIG, else ./ci-results.toml;
CI_RESULTS_STORE wins over its store.
"""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery

from ..config import load_config
from ..errors import CiResultsError
from .tasks import make


def _here() -> Celery:
    path = os.environ.get("CI_RESULTS_CONFIG")
    try:
        return make(load_config(Path(path) if path else None), os.environ.get("CI_RESULTS_STORE") or None)
    except CiResultsError as err:
        raise SystemExit(f"ci-results: {err}") from err


app = _here()
