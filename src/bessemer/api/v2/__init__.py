"""The v2 API, so far: operations and their journal."""
