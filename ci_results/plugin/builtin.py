"""The built-in plugin: our own readers and item types, offered by the public hooks like a stranger's."""

from __future__ import annotations

from typing import Any, cast

from ..decide.builtin import RULE_TYPES
from ..domain.itemtype import ItemType
from ..domain.purpose import PurposeKind
from ..domain.rule import RuleType
from ..formats.allure import Allure
from ..formats.allure_xml import AllureXML
from ..formats.avocado import Avocado
from ..formats.beaker import Beaker
from ..formats.coverity import Coverity
from ..formats.cppcheck import Cppcheck
from ..formats.csdiff import Csdiff
from ..formats.csdiff_text import CsdiffText
from ..formats.ctest import CTest
from ..formats.ctrf import CTRF
from ..formats.fedora_wiki import FedoraWiki
from ..formats.gcc_json import GccJSON
from ..formats.go_test import GoTest
from ..formats.gtest import GTest
from ..formats.junit import JUnit
from ..formats.kiwi import Kiwi
from ..formats.ltp import LTP
from ..formats.manual_csv import ManualCSV
from ..formats.mocha import Mocha
from ..formats.nitrate import Nitrate
from ..formats.nunit import NUnit
from ..formats.openqa import OpenQA
from ..formats.openqa_details import OpenQADetails
from ..formats.resultsdb_message import ResultsDBMessage
from ..formats.robot import Robot
from ..formats.robot_json import RobotJSON
from ..formats.rpmdiff import Rpmdiff, RpmdiffText
from ..formats.rpmgrill import Rpmgrill, RpmgrillXML, RpmgrillYAML
from ..formats.rpminspect import Rpminspect
from ..formats.rpminspect_text import RpminspectText
from ..formats.rpmlint import Rpmlint
from ..formats.sarif import SARIF
from ..formats.tap import TAP
from ..formats.tmt import Tmt
from ..formats.tps import TPS
from ..formats.trx import TRX
from ..formats.unit_xml import UnitXML
from ..formats.valgrind import Valgrind
from ..formats.xunit_net import XUnitNet
from ..messages.builtin import READERS as MESSAGES
from ..normalise.items import BUILT_IN
from ..waive.purposes import BUILT_IN as PURPOSES
from .contract import Format, Lookup, Messages
from .koji import Koji
from .spec import hookimpl

READERS = (
    *(JUnit, NUnit, XUnitNet, TRX, Robot, Beaker, RpmgrillXML, Nitrate, CTest, AllureXML, UnitXML),
    *(Cppcheck, Valgrind, GccJSON, LTP),
    *(CTRF, Allure, SARIF, Csdiff, Coverity, Rpmgrill, Rpminspect, Rpmdiff, TPS, Avocado, OpenQA, Kiwi),
    *(Mocha, RobotJSON, OpenQADetails),
    *(GTest, ResultsDBMessage, GoTest, RpmgrillYAML, Tmt, ManualCSV),
    *(RpminspectText, Rpmlint, RpmdiffText, CsdiffText, TAP, FedoraWiki),
)
"""In the order in which they are asked: the first that recognises a file reads it."""

for _reader in READERS:
    Format.register(_reader)
for _each in MESSAGES:
    Messages.register(_each)


@hookimpl
def register_formats() -> list[Format]:
    """Offer the report formats that this distribution reads."""
    return [cast(Format, reader()) for reader in READERS]


@hookimpl
def register_messages() -> list[Messages[Any]]:
    """Offer the kinds of bus messages that this distribution reads."""
    return [cast(Messages[Any], reader()) for reader in MESSAGES]


@hookimpl
def register_vocabularies() -> tuple[ItemType | PurposeKind, ...]:
    """Offer the item types and the kinds of purposes that every installation knows."""
    return (*BUILT_IN, *PURPOSES)


@hookimpl
def register_lookups() -> list[Lookup[Any]]:
    """Offer the build systems that this distribution can ask."""
    return [Koji()]


@hookimpl
def register_rules() -> tuple[RuleType[Any], ...]:
    """Offer Greenwave's types of rules, and ours."""
    return RULE_TYPES
