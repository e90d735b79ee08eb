"""@context: from short names to IRIs and back (GS CIM 009 V1.9.1 §4.4, §5.5.5, §5.5.7, §5.13).

A context is compiled once into plain maps. Contexts by URL come from the bundled files, from the
operator's folder, from what this broker hosts, or, for allowed hosts only, from the network.
"""

from onsil.hub.contexts.compiled import CORE, Context, ContextError
from onsil.hub.contexts.core import CORE_CONTEXT, DEFAULT_VOCABULARY, NGSI_LD
from onsil.hub.contexts.library import Library, compile_context, library

__all__ = [
    "CORE",
    "CORE_CONTEXT",
    "DEFAULT_VOCABULARY",
    "NGSI_LD",
    "Context",
    "ContextError",
    "Library",
    "compile_context",
    "library",
]
