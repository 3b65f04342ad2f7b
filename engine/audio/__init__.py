"""Sound: an audio file in, the 22 named features out; one function for training and for serving.

Importing this room is cheap: librosa loads its own parts on first use (numba with them, which takes seconds).
"""

from engine.audio.decode import EXCERPT_S, SAMPLE_RATE, Sound, decode
from engine.audio.features import FEATURE_VERSION, AudioFeatures, extract_features, features_of

__all__ = [
    "EXCERPT_S",
    "FEATURE_VERSION",
    "SAMPLE_RATE",
    "AudioFeatures",
    "Sound",
    "decode",
    "extract_features",
    "features_of",
]
