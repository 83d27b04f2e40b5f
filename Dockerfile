# Astro Runtime 3.2-4 is Airflow 3.2.1 on Python 3.12. Its ONBUILD steps install packages.txt and requirements.txt and copy
# the project; AIRFLOW_HOME is on PYTHONPATH there, which makes `from include...` work in Dags and tasks.
FROM astrocrpublic.azurecr.io/runtime:3.2-4
# `astro dev parse` and `astro dev pytest` run in here, without what the project's own tests need beside Airflow.
COPY .astro/pytest_in_image.ini /usr/local/airflow/pytest.ini
