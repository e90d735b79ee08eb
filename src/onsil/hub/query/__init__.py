"""Queries: NGSI-LD's languages read into trees, and the entities they find."""
