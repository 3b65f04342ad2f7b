"""Long work: audio features, training, index builds. Each stage is a function that commits batch by batch."""
