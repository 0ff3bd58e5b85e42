"""Faces on HTTP: the ASGI application, pages for people, Datasette."""
