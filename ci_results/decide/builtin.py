"""The rule types that this distribution brings, Greenwave's first."""

from __future__ import annotations

from typing import Any

from ..domain.rule import RuleType
from .choice_rules import AtLeast, Results
from .peers_rules import PassingTestCase, Remote
from .plan_rules import ManualPlan, Tier
from .select_rules import Select
from .trend_rules import NoNewFailures, PassRate
from .wrapping_rules import Experimental, Packages

RULE_TYPES: tuple[RuleType[Any], ...] = (
    PassingTestCase(),
    Remote(),
    Results(),
    AtLeast(),
    PassRate(),
    NoNewFailures(),
    ManualPlan(),
    Tier(),
    Select(),
    Experimental(),
    Packages(),
)
