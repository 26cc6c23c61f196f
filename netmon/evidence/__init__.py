"""Evidence towards the provider: a campaign of measurements that can be checked.

``plan`` draws the moments, ``chain`` makes what was recorded tamper-evident,
``readings`` and ``criteria`` say what it means, ``ordering`` and ``campaign`` hold
the use cases on the store, ``report`` and ``writing`` write it down.
"""
