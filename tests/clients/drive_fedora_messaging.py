"""Publish lines of stdin, or print messages that come, with fedora-messaging as it is installed."""

import json
import sys
from contextlib import suppress

from fedora_messaging import api, message
from fedora_messaging.exceptions import HaltConsumer

what, queue, topic, count = *sys.argv[1:4], int(sys.argv[4])
if what == "publish":
    for line in sys.stdin:
        api.publish(message.Message(topic=topic, body=json.loads(line)))
else:
    told = []

    def tell(came: message.Message) -> None:
        told.append({
            "topic": came.topic, "body": came.body, "severity": came.severity, "kind": type(came).__name__,
            "id": came.id, "headers": came._properties.headers,
        })  # fmt: skip
        if len(told) == count:
            raise HaltConsumer

    bindings = [{"exchange": "amq.topic", "queue": queue, "routing_keys": [topic]}]
    queues = {queue: {"durable": True, "auto_delete": False, "exclusive": False, "arguments": {}}}
    with suppress(HaltConsumer):
        api.consume(tell, bindings=bindings, queues=queues)
    sys.stdout.writelines(f"{json.dumps(each, default=str)}\n" for each in told)
