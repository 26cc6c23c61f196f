"""Who may log in, and as what: local accounts and what a session may do.

``passwords`` hashes and checks, ``limiter`` slows guessing down, ``sessions`` says how
long a session lasts. All but the hashing is pure; the store keeps, the pages ask.
"""
