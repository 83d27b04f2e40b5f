"""`make bench`: how fast the store is, beside psql's COPY and other ways from Python into PostgreSQL."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
