"""The Dags on a real Airflow: scheduler, dag-processor, triggerer, api-server and workers as processes."""
