"""The wire: formats and protocols of every API. Decides nothing; asks ``service`` and translates."""
