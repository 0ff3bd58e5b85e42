"""What `ci-results plugin new` writes: one folder a kind, `shared` for all; see operations/plugin_new.py."""
