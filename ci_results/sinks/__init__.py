"""Built-in sinks: where results are sent on. Each is offered by the public hook, like a stranger's."""
