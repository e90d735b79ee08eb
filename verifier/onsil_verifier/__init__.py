"""A second program that recomputes Onsil's evidence bundles.

It shares no code with the engine, needs nothing but Python's standard library, and was written from
the published pages: docs/footprint/bundle.md and docs/methodologies/.
"""

VERSION = "1"
