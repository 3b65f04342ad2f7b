"""Training is a room of its own: serving never enters it."""
