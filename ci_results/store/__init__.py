"""Stores: where results are kept for good."""
