"""One file per benchmark: how its items are read, what the model is asked, and what an answer is worth."""
