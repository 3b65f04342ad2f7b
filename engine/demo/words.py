"""What the demo songs sing about: words of each theme by part of speech, and the lines around them.

No word belongs to two themes and no theme word is a word of a line, so counting recovers the themes. The
lists are songlike's own; nothing in them comes from a real song. Mild language only.
"""

import re
from dataclasses import dataclass

from engine.vocabulary import THEMES


@dataclass(frozen=True, slots=True)
class ThemeWords:
    """Words of one theme: nouns (``the ...``), verbs in base form (``we ...``), adjectives (``so ...``)."""

    nouns: tuple[str, ...]
    verbs: tuple[str, ...]
    adjectives: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every word of the theme."""
        return self.nouns + self.verbs + self.adjectives


def _words(nouns: str, verbs: str, adjectives: str) -> ThemeWords:
    return ThemeWords(tuple(nouns.split()), tuple(verbs.split()), tuple(adjectives.split()))


THEME_WORDS: dict[str, ThemeWords] = {
    "dating": _words(
        "date dinner coffee cinema doorbell bouquet boyfriend girlfriend crush table restaurant waiter "
        "weekend valentine rendezvous jacket perfume taxi dessert picnic",
        "flirt meet court invite blush impress mingle woo propose giggle arrive dine",
        "single available punctual charming nervous smitten flattered handsome casual shy eager dressed",
    ),
    "violence": _words(
        "fight fist hammer sword battle soldier army war punch enemy bruise cannon shield warrior arrow "
        "fury trouble danger villain duel",
        "attack smash strike shatter wrestle kick clash storm defend threaten charge",
        "violent brutal ruthless fierce angry savage hostile bruised armed reckless vicious merciless",
    ),
    "world/life": _words(
        "world life people nation freedom history future continent planet century money worker reason "
        "truth country law justice government struggle lesson peace",
        "live learn change grow survive build vote earn exist matter begin decide",
        "human global modern mortal ancient ordinary equal free social poor political grown",
    ),
    "night/time": _words(
        "night time midnight hour minute clock evening tomorrow yesterday morning moment dusk twilight "
        "calendar second week month season dream watch",
        "wait sleep wake stay last tick yawn pause delay hurry doze linger",
        "late early long sleepless nightly slow timeless restless awake overdue brief endless",
    ),
    "shake the audience": _words(
        "party crowd floor stage hip bounce groove hand funk boogie arena speaker disco frenzy encore "
        "crew booth heat sweat jam",
        "shake jump dance sway clap stomp twist rock move bump wiggle scream strobe",
        "loud wild sweaty funky crazy rowdy packed bouncy electric hyped jumping roaring",
    ),
    "family/gospel": _words(
        "mother father church choir hymn brother sister preacher chapel sunday gospel pew grandma daddy "
        "mama sermon hallelujah congregation baptism cradle",
        "praise preach testify gather raise baptise kneel rejoice shepherd nurse forgive deliver",
        "righteous humble motherly fatherly joyful glorious thankful faithful baptised saved brotherly "
        "almighty",
    ),
    "romantic": _words(
        "love kiss heart darling embrace romance rose passion lover honey caress desire arms devotion "
        "candle serenade wedding ring bride whisper",
        "adore cherish hold hug marry cuddle yearn swoon treasure snuggle charm",
        "tender sweet beloved devoted dear true gentle passionate loving intimate velvet dreamy",
    ),
    "communication": _words(
        "word phone letter message voice question answer secret story lie conversation telephone "
        "language promise rumour gossip number mail telegram excuse",
        "say tell talk speak call write explain ask reply listen admit mention",
        "spoken silent honest quiet unspoken written truthful talkative blunt clear mute chatty",
    ),
    "obscene": _words(
        "heck dang jerk fool butt brat punk hustler swagger boss dude attitude sass nonsense racket "
        "scoundrel loudmouth trash freak cash",
        "cuss brag mess diss strut flex sneer mock spit burp curse",
        "darn nasty rude dirty lousy cheeky trashy crude naughty stinking bratty shameless",
    ),
    "music": _words(
        "song music melody rhythm guitar drum radio band piano tune harmony record fiddle bass "
        "saxophone trumpet chord tempo banjo organ",
        "sing play strum hum whistle rehearse compose improvise croon harmonise yodel",
        "musical melodic acoustic rhythmic tuneful swinging lyrical harmonic bluesy jazzy choral orchestral",
    ),
    "movement/places": _words(
        "road train highway river mountain town city street station bridge ocean harbour valley ship "
        "wheel journey desert railroad border village",
        "walk run ride drive travel wander roll sail climb cross leave return",
        "far distant northern southern lonesome dusty winding western eastern homeward narrow coastal",
    ),
    "light/visual perceptions": _words(
        "light sun star moon eye sky shadow colour rainbow mirror flame lantern sunshine diamond "
        "picture horizon glow silver lightning window",
        "shine see look glitter gleam sparkle flicker glance stare fade dazzle flash",
        "bright blue golden dark red green shining pale crimson visible radiant hazy",
    ),
    "family/spiritual": _words(
        "heaven soul spirit angel prayer faith grace miracle mercy lord paradise temple prophet "
        "blessing saint eternity karma meditation creation glory",
        "pray believe bless worship ascend redeem meditate chant confess heal sanctify atone",
        "holy sacred divine eternal blessed mystic pure spiritual heavenly immortal enlightened celestial",
    ),
    "like/girls": _words(
        "girl lady smile hair dress lipstick beauty princess woman lip ponytail skirt curl fashion "
        "makeup cutie dimple heel necklace sundress",
        "like wink tease admire notice fancy stroll pose shop chase dote",
        "pretty cute gorgeous lovely stylish girly elegant adorable slender fashionable glamorous youthful",
    ),
    "sadness": _words(
        "tear pain sorrow goodbye rain loneliness grief misery heartache regret blues ghost wound "
        "winter ache teardrop farewell funeral gloom ruin",
        "cry weep lose mourn suffer hurt miss bleed drown grieve sob fall",
        "sad lonely broken cold empty lost hopeless bitter weary forsaken tearful",
    ),
    "feelings": _words(
        "feeling emotion mood joy fear hope thrill pride happiness courage doubt comfort pleasure "
        "jealousy worry excitement calm delight anger shame",
        "feel sense tremble laugh care cope shiver trust enjoy relax sigh",
        "happy glad afraid proud alive excited strange jealous content warm confused",
    ),
}

# The lines: {n}, {v} and {a} are filled from the theme words. At most nine words each.
VERSE_LINES = (
    "I {v} in the {n}, oh so {a}",
    "you and me, we {v} by the {n}",
    "there is a {n} that I {v} for",
    "my {n} was {a} and your {n} was too",
    "every {n} and every {n} of mine",
    "they {v}, they {v}, and I don't know",
    "out of the {n} and into the {n}",
    "when you {v} I'm {a} again",
    "if only we could {v} with the {n}",
    "that {a} {n} is all I have got",
    "I used to {v}, now I only {v}",
    "some {a} {n} with a {a} {n}",
    "you were {a}, I was {a}, well well",
    "never did {v} without my {n}",
    "the {n} and the {n} will {v}",
    "nobody here could {v} such a {n}",
    "I have been {a} since the {n}",
    "under the {n}, over the {n}, we {v}",
)
CHORUS_LINES = (
    "oh, {v} with me, my {a} {n}",
    "{v}, {v}, yeah, the {n} is mine",
    "it's the {n}, it's the {n}, oh yeah",
    "so {a}, so {a}, we {v}",
    "come on and {v} for the {n}",
    "give me the {n}, give me the {n}",
    "and I will {v} and you will {v}",
    "na na na, the {a} {n}",
    "we are {a}, we are {a}, my {n}",
    "don't you {v} on my {n}",
)
TITLES = (
    "{a} {n}",
    "the {n} and the {n}",
    "{v} with me",
    "my {a} {n}",
    "{n} to {n}",
    "if you {v}",
    "no more {n}",
    "{v} for the {n}",
)

_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?")
THEME_OF_WORD: dict[str, int] = {word: i for i, theme in enumerate(THEMES) for word in THEME_WORDS[theme].all}


def tokens(text: str) -> list[str]:
    """Lower-case words of a text, apostrophes kept: ``Don't go`` -> ``don't``, ``go``."""
    return _TOKEN.findall(text.lower())
