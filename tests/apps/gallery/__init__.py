"""A Django site of the common shape: pages, hashed static files, uploads, CSRF, streams."""
