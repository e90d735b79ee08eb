"""Protocol drivers, the device registry and device health."""
