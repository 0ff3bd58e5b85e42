"""The peers' JSON: read it as they do, refuse it in their words, write it. No I/O."""
