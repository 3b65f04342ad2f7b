"""Train, validation and test parts by artist: neither an artist nor a near-duplicate straddles two of them."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from engine.errors import TrainingDataError
from engine.lyrics import clean_lyrics
from engine.song import Song


class Split(NamedTuple):
    """Row numbers of the songs in each part, ascending."""

    train: list[int]
    validation: list[int]
    test: list[int]


def split_by_artist(songs: Sequence[Song], hold_out: float, seed: int) -> Split:
    """Split songs so that the validation and the test part each hold about ``hold_out`` of them.

    Songs of one artist stay together, and so do songs with the same set of words (covers, re-releases, rows
    that carry another song's lyrics). A song without an artist is a group of its own. The order of the songs
    does not matter: groups are drawn by a hash of their names and the seed.

    Raises
    ------
    TrainingDataError
        When there are fewer than three groups.
    """
    groups = _groups(songs)
    if len(groups) < 3:
        raise TrainingDataError(
            f"{len(songs)} songs by {len(groups)} artists cannot be split by artist; at least three artists are needed"
        )
    ordered = sorted(
        groups.items(), key=lambda group: hashlib.sha256(f"{seed}\0{group[0]}".encode()).digest()
    )
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    wanted = max(1, round(hold_out * len(songs)))
    for _, rows in ordered:
        # Test is filled first, then validation; the rest trains.
        part = 0 if len(parts[0]) < wanted else 1 if len(parts[1]) < wanted else 2
        parts[part].extend(rows)
    if not parts[2]:
        raise TrainingDataError(
            "no song is left to train on after the split by artist; bring songs of more artists"
        )
    return Split(train=sorted(parts[2]), validation=sorted(parts[1]), test=sorted(parts[0]))


def _groups(songs: Sequence[Song]) -> dict[str, list[int]]:
    """Rows by the smallest name in their group, where artists are joined by songs with equal word sets."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = name = parent[parent[name]]  # halve the path as we go
        return name

    owners = [_owner(song) for song in songs]
    first_with_words: dict[frozenset[str], str] = {}
    for song, owner in zip(songs, owners, strict=True):
        words = frozenset(clean_lyrics(song.lyrics or "").casefold().split())
        if words:
            a, b = sorted((root(owner), root(first_with_words.setdefault(words, owner))))
            parent[b] = a
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for row, owner in enumerate(owners):
        groups[root(owner)].append(row)
    return dict(groups)


def _owner(song: Song) -> str:
    artist = " ".join((song.artist or "").casefold().split())
    return f"artist {artist}" if artist else f"song {song.song_id}"
