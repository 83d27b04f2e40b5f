"""Insight-Invest's updaters: market data from its sources into PostgreSQL.

Imports point one way: dags → orchestration → runner → (sources, checks, sessions, store); api → store.
"""

__version__ = "3.0.0"
