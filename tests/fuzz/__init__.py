"""Bad input: thousands of damaged answers through whole jobs, and an independent check of what they left behind.

The real client libraries ask the replay over HTTP, a real PostgreSQL stores. What is damaged, and how, depends on a
seed and on the request alone: ``python -m tests.fuzz --source yahoo --seed 17`` repeats one round exactly.
"""
