"""What Dags are built from. A Dag file imports this and ``jobs``; nothing heavy loads when it is parsed."""
