"""Where data comes from: one module per source, all with the protocol of ``base.py``."""
