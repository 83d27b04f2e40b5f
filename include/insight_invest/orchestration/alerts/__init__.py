"""What an operator is told: a run is late, a run has failed, all is well again.

message.py says it, verdict.py decides whether there is anything to say, telling.py says it once, channels.py delivers
it; callbacks.py is what Airflow calls, and deadlines.py gives a Dag its deadlines. Only the last two, and the words
that they need, are imported when a Dag is parsed.
"""
