"""PostgreSQL: schema, loading, reading, ledger.

Rows go by binary COPY into a temporary table and from there, in the transaction of the ledger row, by statements that
touch only rows that differ (``bars.py``, ``vintages.py``). Nothing here knows where rows come from.
"""
