"""Decisions: policy text to policies; policies and facts to a decision with its proof; lint. Pure."""
