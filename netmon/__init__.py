"""netmon: network and broadband monitor for the school buildings of a city."""

__version__ = "0.1.0"
