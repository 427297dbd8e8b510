"""BBQ and its relatives: five file formats, one kind of question, and what an answer to it is worth."""
