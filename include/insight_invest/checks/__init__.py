"""What a row must satisfy before it is stored. A row that does not is held back, with the reason and the raw row.

``answer.check_answer`` asks every check in turn: each row by itself (``bars``), against what is stored (``restated``),
among its neighbours (``neighbours``), and splits and dividends against the prices (``actions``).
"""
