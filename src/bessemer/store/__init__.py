"""All that is remembered: tables, migrations and queries; the only place that knows SQL.

Every query returns plain records of the domain, or raw rows where the API sends a list as it lies in the
database. SQLite and PostgreSQL give the same answers; one contract suite is run against both.
"""
