#!/bin/sh
# MWAA runs this in each of its containers before Airflow starts, and takes over what it exports. `make bundle
# SETTINGS=FILE` writes an environment's settings below; docs/mwaa.md names them. No secret belongs here: the database
# and FRED's key are Airflow connections.

# settings
