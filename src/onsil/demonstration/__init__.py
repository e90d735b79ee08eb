"""The demonstration: the whole loop run once, on measured readings, in the city of Pyeongtaek."""
