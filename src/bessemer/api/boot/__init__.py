"""Boot artefacts and images over HTTP, at URLs that carry their own permission."""
