"""Alarms: rules, the machine that decides, incidents, and the mails about them.

The way of a measurement: ``engine`` reads it from the state store, ``course`` keeps
the order of what happened, ``machine`` decides, ``gate`` and ``dependency`` say what
explains it, ``derived`` concludes what no single measurement says, the transition is
stored; ``notify`` plans who is told of which incidents together, ``mails`` says it in
words, ``sender`` hands the outbox to the mail server, ``sinks`` tell other systems.
"""
