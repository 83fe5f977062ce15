"""Who asks: strategies that turn what a request presents into a ``Caller``, or refuse it."""
