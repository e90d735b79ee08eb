"""Making a report of what was measured or reviewed, and fetching the ones that were kept."""
