"""Tests of runs over the past."""
