"""Starts and watches the processes of one installation: database, broker, hub, web, workers."""
