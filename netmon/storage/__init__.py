"""Durable things behind one port: see `netmon.storage.ports`."""
