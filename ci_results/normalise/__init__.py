"""Observation to Result: outcome words, item grammars; pure."""
