"""Damaged price tables and the same tables mended, loaded as the daily run loads an answer, and counted."""
