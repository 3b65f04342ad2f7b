"""The HTTP face. Answering a query never imports torch: the song's vector is in the index already."""
