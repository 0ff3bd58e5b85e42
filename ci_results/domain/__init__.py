"""The nouns: frozen dataclasses with their invariants, free of I/O and of each other's inheritance."""
