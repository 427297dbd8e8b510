"""Keep openly licensed, readable, unique documents; drop the others with their reason."""
