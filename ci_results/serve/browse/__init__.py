"""Datasette as the way to browse: our plugin, its templates, and Datasette mounted in our server."""
