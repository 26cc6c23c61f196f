"""The demo: a whole city on one machine, made of the real parts.

Probes measure over real sockets, collectors poll real SNMP agents, mails go
through a real SMTP server. Only the lines, the devices and the history of the
buildings without a live probe are made up; those are marked as generated.
"""
