"""The gateway's web side: ingest, status site, JSON API, own health."""
