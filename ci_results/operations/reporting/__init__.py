"""Report files on their way into the store: where they come from, who reads them, what is kept."""
