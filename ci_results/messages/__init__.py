"""Messages of buses: out of their envelopes, and read. Pure: transports are elsewhere."""
