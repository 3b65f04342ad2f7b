"""The engine knows songs, sound, words and tensors: no SQL, no FAISS, no HTTP, no environment variables.

Importing this package imports nothing heavy; ``engine.encoder`` is the room that needs torch.
"""
