"""The network: three towers, fusion, projection, encoder and head. ``song_network`` reads from top to bottom."""
