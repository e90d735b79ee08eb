"""Green Building: sites, meters, and how well their data arrive."""
