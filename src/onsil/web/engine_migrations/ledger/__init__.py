"""Engine rooms' schema files in the order `migrate` runs them."""
