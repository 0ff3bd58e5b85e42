"""Bundle: all that a decision rests on, in one SQLite file that anybody can look at and verify offline."""
