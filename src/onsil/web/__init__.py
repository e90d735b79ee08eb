"""Settings, URLs, base templates, the design system and the server entries; no business rules."""
