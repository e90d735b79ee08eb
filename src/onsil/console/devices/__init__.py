"""The officials' screens of devices: how each fares, provisioning, calibration, commands."""
