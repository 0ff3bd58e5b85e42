"""Unpack what reports come in: compressions and archives, by content, within limits, on no path."""
