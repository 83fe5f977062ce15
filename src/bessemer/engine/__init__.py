"""Durable operations: a queue, ownership with fences, a journal, and a runner that survives any crash.

The engine knows no bare metal. It carries out workflows (``workflow.py``: tables of steps) on rows of the
operations table; "node" is to it only the name of the thing that at most one operation may change at a time.
"""
