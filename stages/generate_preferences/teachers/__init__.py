"""A file here is a teacher, by its name: `teach(places, constitution, params)` returns its revisions."""
