"""Questions as values, and their SQL; no connection, no I/O."""
