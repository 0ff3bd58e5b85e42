"""Transports of this distribution, and how one is chosen by a URL. What messages say is read elsewhere."""
