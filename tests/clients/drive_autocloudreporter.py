"""Hand autocloudreporter a message: `python drive_autocloudreporter.py URL COMPOSES`. In its own environment.

Its compose metadata comes from COMPOSES on loopback instead of from Fedora's servers.
"""

import sys
from types import SimpleNamespace

import fedfind.const
import fedora_messaging.config

url, fedfind.const.NIGHTLY_BASE = sys.argv[1:]
fedora_messaging.config.conf.load_config()
fedora_messaging.config.conf["consumer_config"] = {
    "autocloud_url": "https://autocloud.example",
    "resultsdb_url": url,
}

from autocloudreporter import AutocloudReporter  # noqa: E402

cid = "Fedora-Rawhide-20171126.n.0"
image = (
    f"https://kojipkgs.example/CloudImages/x86_64/images/Fedora-Cloud-Base-Rawhide-{cid[15:]}.x86_64.qcow2"
)
for job, status in ((1, "success"), (2, "failed")):
    body = {"job_id": job, "compose_id": cid, "compose_url": image, "status": status}
    AutocloudReporter()(SimpleNamespace(id="m", body=body))
