"""What is uploaded to MWAA, made of what git tracks: ``make bundle``. docs/mwaa.md says why it is laid out so."""
