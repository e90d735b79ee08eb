"""How entities were over time: GS CIM 009 V1.9.1 §4.5.6-9, §5.6.11-16, §5.7.3-4."""
