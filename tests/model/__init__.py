"""Tests against a model of the market, and against recorded vendor behaviour over time."""
