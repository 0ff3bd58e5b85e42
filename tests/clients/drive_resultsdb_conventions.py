"""Report by resultsdb_conventions: `python drive_resultsdb_conventions.py URL`. In its own environment."""

import json
import sys

from resultsdb_api import ResultsDBapi
from resultsdb_conventions.fedora import FedoraBodhiResult
from resultsdb_conventions.fedoracoreos import FedoraCoreOSImageResult

api = ResultsDBapi(sys.argv[1], max_retries=0)
common = {"ref_url": "https://openqa.example/1", "tc_url": "https://t.example", "source": "openqa"}
said = [
    FedoraBodhiResult("FEDORA-2026-1", outcome="PASSED", tc_name="update.base", **common).report(api),
    FedoraBodhiResult("FEDORA-2026-1", outcome="FAILED", tc_name="update.desktop", **common).report(api),
    FedoraCoreOSImageResult(
        "metal", "fedora-coreos-40.x86_64.iso", "iso", "x86_64", "40.20260101.1.0", "next",
        outcome="PASSED", tc_name="fcosbuild.boot", **common,
    ).report(api),
]  # fmt: skip
json.dump(said, sys.stdout)
