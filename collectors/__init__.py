"""Collectors: ask devices by SNMP and hand what they say to the spool.

`base` is the port to a device, `snmp_gufo`, `snmp_pysnmp` and `recorded` are
its drivers, `platforms` reads the YAML files that say what to ask and what it
means, `read` asks, `decode` and `records` judge, `poll` keeps the rhythm.
"""
