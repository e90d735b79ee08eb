"""Federation: registered context sources, and operations distributed to them (§4.3.6, §5.9)."""

from onsil.hub.sources.store import registrations

__all__ = ["registrations"]
