"""The document of our APIs, OpenAPI 3.1, and a page for people made of it.

Each API offers its Part; nothing here knows which there are.
"""
