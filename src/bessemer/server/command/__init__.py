"""Commands that this distribution adds to ``bessemer`` (entry points ``bessemer.commands``)."""
