"""One file a revision, in order; a published revision never changes."""
