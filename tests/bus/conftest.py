"""What tests of buses share: a cluster of Kafka for a module."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from clusters import Cluster, cluster

sys.path.pop(0)


@pytest.fixture(scope="module")
def brokers() -> Iterator[Cluster]:
    """Give a cluster for all tests of a module."""
    with cluster() as made:
        yield made


@pytest.fixture
def topic() -> str:
    """Give the name of a topic that is not there yet."""
    return f"org.example.{uuid.uuid4().hex[:8]}"
