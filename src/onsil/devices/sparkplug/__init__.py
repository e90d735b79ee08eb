"""Sparkplug B as its host application sees it: sessions of edge nodes, births, deaths, rebirths."""
