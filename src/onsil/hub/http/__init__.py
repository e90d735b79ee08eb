"""The hub's own door: NGSI-LD over HTTP, as a Starlette application."""
