"""The city data hub: NGSI-LD entities with series of points."""
