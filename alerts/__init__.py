"""Alarms: rules, the machine that decides, incidents, and the mails about them.

The way of a measurement: ``engine`` reads it from the state store, ``course`` keeps
the order of what happened, ``machine`` decides, ``gate`` and ``dependency`` say what
explains it, ``derived`` concludes what no single measurement says, the transition is
stored; ``pipeline`` turns transitions into mails of the outbox, ``sender`` hands them
to the mail server.
"""
