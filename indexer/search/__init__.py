"""Exact filtered neighbours over a published index bundle; answering a query needs no torch."""
