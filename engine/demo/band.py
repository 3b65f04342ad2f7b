"""How each genre plays: tempo, timbre, chords and the patterns of a bar, as data.

A pattern has one sign per sixteenth of a bar of four beats: ``x`` accented, ``o`` soft, ``.`` rest.
"""

from dataclasses import dataclass

MAJOR, MINOR, POWER = (0, 4, 7), (0, 3, 7), (0, 7, 12)
SEVENTH, MAJOR_SEVENTH, MINOR_SEVENTH = (0, 4, 7, 10), (0, 4, 7, 11), (0, 3, 7, 10)
MAJOR_PENTATONIC, MINOR_PENTATONIC = (0, 2, 4, 7, 9), (0, 3, 5, 7, 10)

Chord = tuple[int, tuple[int, ...]]  # semitones from the key note, semitones of its notes above that


@dataclass(frozen=True, slots=True)
class Band:
    """A genre's way of playing.

    ``tempo`` is the range in beats a minute; ``swing`` delays every second eighth by that share of an eighth;
    ``gate`` is how long a chord sounds, in beats; ``decay`` how fast a struck note fades, per second;
    ``drive`` how hard the harmony is distorted (0: clean). ``danceability`` and ``brightness`` are the middle
    values in [0, 1], ``loudness`` what it adds to the year's; ``since`` is the first year it is sung.
    """

    tempo: tuple[float, float]
    danceability: float
    loudness: float
    brightness: float
    since: int
    chords: tuple[Chord, ...]
    scale: tuple[int, ...]
    kick: str
    snare: str
    hat: str
    comp: str
    bass: str
    swing: float = 0.0
    gate: float = 1.0
    decay: float = 2.0
    drive: float = 0.0


BANDS: dict[str, Band] = {
    "country": Band(
        tempo=(92, 126), danceability=0.52, loudness=0.0, brightness=0.55, since=1950,
        chords=((0, MAJOR), (5, MAJOR), (0, MAJOR), (7, MAJOR)), scale=MAJOR_PENTATONIC,
        kick="x.......x.......", snare="..o.x.o...o.x.o.", hat="................",
        comp="....x.......x...", bass="x.......x.......", gate=0.7, decay=5.0,
    ),
    "jazz": Band(
        tempo=(118, 184), danceability=0.47, loudness=-0.06, brightness=0.3, since=1950,
        chords=((2, MINOR_SEVENTH), (7, SEVENTH), (0, MAJOR_SEVENTH), (9, MINOR_SEVENTH)),
        scale=MAJOR_PENTATONIC,
        kick="o.......o.......", snare="..........o...o.", hat="x...x.o.x...x.o.",
        comp="..x.......x.....", bass="x...x...x...x...", swing=0.33, gate=0.8, decay=3.0,
    ),
    "blues": Band(
        tempo=(58, 88), danceability=0.45, loudness=-0.01, brightness=0.45, since=1950,
        chords=((0, SEVENTH), (5, SEVENTH), (0, SEVENTH), (7, SEVENTH)), scale=MINOR_PENTATONIC,
        kick="x.......x.......", snare="....x.......x...", hat="x.o.x.o.x.o.x.o.",
        comp="x.....x.x.....x.", bass="x.x.x.x.x.x.x.x.", swing=0.33, gate=0.5, decay=2.5, drive=0.8,
    ),
    "hip hop": Band(
        tempo=(80, 100), danceability=0.72, loudness=0.03, brightness=0.2, since=1982,
        chords=((0, MINOR_SEVENTH), (8, MAJOR_SEVENTH), (0, MINOR_SEVENTH), (5, MINOR)),
        scale=MINOR_PENTATONIC,
        kick="x..x..o...x..o..", snare="....x.......x...", hat="x.x.x.xxx.x.x.ox",
        comp="x...............", bass="x..x......x.....", gate=3.5, decay=1.0,
    ),
    "pop": Band(
        tempo=(102, 130), danceability=0.60, loudness=0.02, brightness=0.6, since=1950,
        chords=((0, MAJOR), (7, MAJOR), (9, MINOR), (5, MAJOR)), scale=MAJOR_PENTATONIC,
        kick="x...x...x...x...", snare="....x.......x...", hat="..x...x...x...x.",
        comp="x.......x.......", bass="x.x.x.x.x.x.x.x.", gate=2.0, decay=0.6,
    ),
    "reggae": Band(
        tempo=(64, 82), danceability=0.70, loudness=0.0, brightness=0.35, since=1966,
        chords=((0, MINOR), (0, MINOR), (10, MAJOR), (5, MINOR)), scale=MINOR_PENTATONIC,
        kick="........x.......", snare="........x.......", hat="x.o.x.o.x.o.x.o.",
        comp="....x.......x...", bass="x..x..x...x.x...", gate=0.35, decay=6.0,
    ),
    "rock": Band(
        tempo=(116, 156), danceability=0.43, loudness=0.05, brightness=0.75, since=1955,
        chords=((0, POWER), (10, POWER), (5, POWER), (0, POWER)), scale=MINOR_PENTATONIC,
        kick="x.....x.x.x.....", snare="....x.......x...", hat="x.x.x.x.x.x.x.x.",
        comp="x.x.x.x.x.x.x.x.", bass="x.x.x.x.x.x.x.x.", gate=0.55, decay=0.8, drive=3.0,
    ),
}  # fmt: skip
