"""Readers of report formats: bytes to observations, each a stream; pure."""
