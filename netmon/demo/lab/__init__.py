"""A lab of network namespaces: server, provider, school router, probe, classroom.

Needs root and Linux (namespaces, veth, ``tc tbf``, TUN). Everything it makes is
removed again; traffic never leaves the namespaces.
"""
