"""Active measurements at a building: probes, their schedule, and the peer."""
