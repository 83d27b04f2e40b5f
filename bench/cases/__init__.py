"""The cases: one function each."""
