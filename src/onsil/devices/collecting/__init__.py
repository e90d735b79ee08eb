"""Devices that do not speak by themselves: asked over Modbus or HTTP, or heard through a folder."""
