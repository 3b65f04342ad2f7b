"""Write golden.json: the straightforward recipe's values of the gallery, as librosa 0.11 gives them.

Run as ``python -m tests.engine.audio.make_golden`` when the feature version changes, and only then: features
are stored once and reused, so a library update that moves a value must show up as a red test.
"""

import json
from pathlib import Path

from engine.audio import FEATURE_VERSION
from tests.engine.audio.recipe import recipe
from tests.engine.audio.signals import GALLERY

GOLDEN = Path(__file__).with_name("golden.json")

if __name__ == "__main__":
    values = {name: recipe(make()) for name, make in GALLERY.items()}
    GOLDEN.write_text(json.dumps({"feature_version": FEATURE_VERSION, "values": values}, indent=1) + "\n")
