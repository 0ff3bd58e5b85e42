"""Harvests spread over workers by Celery; needs the extra `celery`. See docs/operations.md."""
