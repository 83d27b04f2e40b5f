"""The two kinds of job: ``prices`` and ``macro``. Rows go from sources, through checks, to the store."""
