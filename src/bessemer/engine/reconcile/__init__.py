"""Background duties: they take no input, look at how things are, and do what is missing.

``chore`` is for duties of the whole service, ``sweep`` for duties towards each node; both share their work
between conductors by claims on due rows. Those that touch machines are in ``workflow.reconcile``.
"""
