"""The readers of messages that this distribution has, in the order in which they are asked."""

from __future__ import annotations

from .cdevents import CDEvents
from .ci_messages import CiMessages
from .ci_metrics import CiMetrics
from .openqa import OpenQAMessages
from .pipeline import PipelineMessages
from .resultsdb import ResultsDBResults

READERS = (CiMetrics, CiMessages, ResultsDBResults, OpenQAMessages, PipelineMessages, CDEvents)
