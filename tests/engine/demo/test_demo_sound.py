from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.demo.band import BANDS
from engine.demo.sound import PEAK, SAMPLE_RATE, Sound, master, render, tone
from engine.vocabulary import GENRES

PLAIN = Sound("pop", tempo=120, brightness=0.5, percussion=0.4, loudness=0.5)


def rms_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def centroid(samples: np.ndarray) -> float:
    """Mean frequency of the power spectrum of the whole signal, Hz."""
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    return float((np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE) * power).sum() / power.sum())


def amplitude(samples: np.ndarray, frequency: float) -> float:
    """Amplitude at one frequency, by correlation over whole periods in the middle of the signal."""
    t = np.arange(len(samples)) / SAMPLE_RATE
    inside = (t >= 0.1) & (t < 0.9)
    return float(2 * np.abs(np.mean(samples[inside] * np.exp(-2j * np.pi * frequency * t[inside]))))


def play(sound: Sound, seconds: float = 4.0, seed: int = 0) -> np.ndarray:
    return render(sound, seconds, np.random.default_rng(seed))


# --- tone ---


def test_one_partial_is_a_sine_of_that_frequency() -> None:
    samples = tone(441.0, 1.0, partials=1)
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    np.testing.assert_allclose(samples[1000:-1000], np.sin(2 * np.pi * 441 * t)[1000:-1000], atol=2e-3)


@pytest.mark.parametrize("brightness", [0.0, 0.5, 1.0])
def test_partials_have_the_stated_amplitudes(brightness: float) -> None:
    samples = tone(200.0, 1.0, brightness=brightness)
    for k in (1, 2, 3, 7, 14):
        assert amplitude(samples, 200.0 * k) == pytest.approx(k ** (2 * brightness - 2.6), rel=0.02, abs=1e-4)
    assert amplitude(samples, 200.0 * 15) < 1e-3


def test_partials_stay_below_the_nyquist_frequency() -> None:
    assert centroid(tone(9_000.0, 0.5, brightness=1.0)) == pytest.approx(9_000, rel=0.01)


def test_a_struck_tone_fades_as_stated() -> None:
    samples = tone(1_000.0, 2.0, decay=3.0, partials=1)
    early, late = (np.abs(samples[round(s * SAMPLE_RATE) :][:500]).max() for s in (0.5, 1.5))
    assert early / late == pytest.approx(np.exp(3.0), rel=0.02)


def test_overtones_fade_faster_as_stated() -> None:
    """Partial 5 fades twice as fast as the fundamental: what decay 3 does to it, decay 6 does to partial 1."""
    plain, struck = tone(200.0, 1.0), tone(200.0, 1.0, decay=3.0)
    faster = tone(200.0, 1.0, decay=6.0)
    ratio = amplitude(struck, 1_000.0) / amplitude(plain, 1_000.0)
    assert ratio == pytest.approx(amplitude(faster, 200.0) / amplitude(plain, 200.0), rel=0.02)


def test_vibrato_moves_the_frequency_by_its_depth() -> None:
    samples = tone(1_000.0, 2.0, vibrato=0.05, partials=1)
    crossings = np.flatnonzero((samples[:-1] < 0) & (samples[1:] >= 0))[5:-5]
    before, after = samples[crossings], samples[crossings + 1]
    periods = np.diff(crossings - before / (after - before)) / SAMPLE_RATE
    assert 1 / periods.min() == pytest.approx(1_050, rel=0.01)
    assert 1 / periods.max() == pytest.approx(950, rel=0.01)


def test_a_tone_starts_and_ends_in_silence() -> None:
    samples = tone(300.0, 0.25)
    assert len(samples) == round(0.25 * SAMPLE_RATE)
    assert samples.dtype == np.float32
    assert abs(samples[0]) + abs(samples[-1]) < 1e-6


# --- mastering ---


@pytest.mark.parametrize("loudness", [0.0, 0.25, 0.5, 1.0])
def test_master_reaches_the_stated_rms(loudness: float) -> None:
    noise = np.random.default_rng(0).standard_normal(30_000).astype(np.float32)
    assert rms_db(master(noise, loudness)) == pytest.approx(-32 + 22 * loudness, abs=0.01)


def test_louder_is_more_compressed() -> None:
    noise = np.random.default_rng(0).standard_normal(30_000).astype(np.float32)
    quiet, loud = (master(noise, loudness) for loudness in (0.0, 1.0))
    crest = [np.abs(x).max() / np.sqrt(np.mean(x**2)) for x in (quiet, loud)]
    assert crest[1] < 0.6 * crest[0]


def test_silence_stays_silence_and_a_click_keeps_below_the_peak() -> None:
    click = np.zeros(20_000, dtype=np.float32)
    assert np.count_nonzero(master(click, 1.0)) == 0
    click[10_000] = 1.0
    assert np.abs(master(click, 1.0)).max() == pytest.approx(PEAK)


# --- a whole recording ---


@pytest.mark.parametrize("genre", GENRES)
def test_loudness_is_the_rms_in_every_genre(genre: str) -> None:
    levels = [rms_db(play(replace(PLAIN, genre=genre, loudness=x), 2.0)) for x in (0.2, 0.6, 0.9)]
    np.testing.assert_allclose(levels, [-27.6, -18.8, -12.2], atol=0.05)


@pytest.mark.parametrize("genre", GENRES)
def test_brightness_raises_the_centroid_in_every_genre(genre: str) -> None:
    low, middle, high = (
        centroid(play(replace(PLAIN, genre=genre, brightness=b, percussion=0.1))) for b in (0.1, 0.5, 0.9)
    )
    assert low * 1.1 < middle < high / 1.1


@pytest.mark.parametrize("genre", GENRES)
def test_percussion_raises_the_noise_above_four_kilohertz_in_every_genre(genre: str) -> None:
    shares = []
    for percussion in (0.05, 0.3, 0.7):
        power = np.abs(np.fft.rfft(play(replace(PLAIN, genre=genre, percussion=percussion)))) ** 2
        shares.append(power[len(power) * 4_000 * 2 // SAMPLE_RATE :].sum() / power.sum())
    assert shares[0] * 2 < shares[1] < shares[2] / 1.3


@pytest.mark.parametrize("tempo", [75.0, 100.0, 128.0])
@pytest.mark.parametrize("genre", GENRES)
def test_the_beat_returns_at_the_tempo(genre: str, tempo: float) -> None:
    """The energy repeats after a bar, which is found among all lags about a bar to 1.5 %."""
    samples = play(replace(PLAIN, genre=genre, tempo=tempo, percussion=1.0), 14.0)
    hop = SAMPLE_RATE // 200  # 5 ms
    energy = (samples[: len(samples) // hop * hop].reshape(-1, hop).astype(np.float64) ** 2).sum(axis=1)
    energy -= energy.mean()
    bar = 4 * 60 / tempo * SAMPLE_RATE / hop
    lags = np.arange(round(0.8 * bar), round(1.2 * bar))
    likeness = [np.mean(energy[lag:] * energy[:-lag]) / np.mean(energy**2) for lag in lags]
    assert lags[int(np.argmax(likeness))] == pytest.approx(bar, rel=0.015)
    assert max(likeness) > 0.7


def test_loose_players_repeat_less_exactly() -> None:
    def likeness_after_a_bar(looseness: float) -> float:
        samples = play(replace(PLAIN, percussion=1.0, looseness=looseness), 12.0)
        energy = np.convolve(samples**2, np.ones(200), "same")
        bar = 2 * SAMPLE_RATE
        return float(np.corrcoef(energy[bar:-bar], energy[: -2 * bar])[0, 1])

    assert likeness_after_a_bar(0.0) > 0.95
    assert likeness_after_a_bar(0.03) < 0.7


def test_the_same_recipe_and_chance_give_the_same_samples() -> None:
    assert play(PLAIN, 1.0, seed=1).tobytes() == play(PLAIN, 1.0, seed=1).tobytes()
    assert play(PLAIN, 1.0, seed=1).tobytes() != play(PLAIN, 1.0, seed=2).tobytes()


@given(
    genre=st.sampled_from(GENRES),
    tempo=st.floats(40, 220),
    unit=st.tuples(*[st.floats(0, 1)] * 3),
    looseness=st.floats(0, 0.05),
    key=st.integers(40, 64),
    seconds=st.floats(0.5, 1.5),
)
@settings(max_examples=30, deadline=None)
def test_any_recipe_is_finite_of_its_length_and_below_the_peak(
    genre: str, tempo: float, unit: tuple[float, float, float], looseness: float, key: int, seconds: float
) -> None:
    samples = play(Sound(genre, tempo, *unit, looseness=looseness, key=key), seconds)
    assert len(samples) == round(seconds * SAMPLE_RATE)
    assert samples.dtype == np.float32
    assert bool(np.isfinite(samples).all())
    assert np.abs(samples).max() <= PEAK + 1e-6


def test_every_genre_has_a_band_with_whole_bars() -> None:
    assert tuple(sorted(BANDS)) == tuple(sorted(GENRES))
    for band in BANDS.values():
        assert {len(p) for p in (band.kick, band.snare, band.hat, band.comp, band.bass)} == {16}
        assert set(band.kick + band.snare + band.hat + band.comp + band.bass) <= set("xo.")
