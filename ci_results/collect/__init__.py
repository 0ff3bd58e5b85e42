"""Run collectors: a thread per source, pages into the store."""
