"""The seam: what a plugin sees and how it is found."""
