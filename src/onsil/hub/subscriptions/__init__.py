"""Subscriptions and their notifications (GS CIM 009 V1.9.1 §5.8, §5.11, §7.2).

A write matches the city's subscriptions within its own transaction and leaves what is to be told in
the outbox; one sender takes it from there to the endpoints.
"""
