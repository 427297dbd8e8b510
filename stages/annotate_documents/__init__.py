"""Judge every document once, by language, quality, personal data, duplicates, contamination and right, into tables by id."""
