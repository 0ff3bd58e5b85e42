"""Kafka keeps the contract of transports. Each rule waits for a group to come together, for seconds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ci_results.bus.choosing import Chosen, choose
from ci_results.testing.transport_contract import TransportContract

sys.path.insert(0, str(Path(__file__).parent))
from clusters import Cluster

sys.path.pop(0)

pytestmark = pytest.mark.needs("kafka")


class TestKafka(TransportContract):
    @pytest.fixture
    def bus(self, brokers: Cluster, topic: str) -> Chosen:
        self.topic = topic
        return choose(brokers.reads(topic))
