"""The network against what it promises: unit vectors, no leak of padding or of absent values, a naive pooling."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.network.fusion import ConcatFusion, GatedFusion, balanced
from engine.network.song_network import SongBatch, SongNetwork, drop_modalities
from engine.preprocessing import Preprocessor
from engine.song import Song
from engine.text_encoder import load_text_encoder
from engine.vocabulary import GENRES
from tests.engine.tiny import build_network, build_preprocessor, tiny_network, toy_songs

SONGS = [
    *toy_songs(8),
    Song("words", lyrics="love rain " * 60),
    Song("sound", audio=np.linspace(0.1, 2, 22)),
    Song("genre", genre="jazz"),
    Song("year", year=1977),
]


@pytest.fixture(scope="module")
def preprocessor(encoder_folder: Path) -> Preprocessor:
    return build_preprocessor(encoder_folder, toy_songs())


@pytest.fixture(scope="module")
def batch(preprocessor: Preprocessor) -> SongBatch:
    return preprocessor.batch([preprocessor.numbers(song) for song in SONGS])


@pytest.fixture(scope="module", params=["cls", "mean"])
def network(request: pytest.FixtureRequest, encoder_folder: Path) -> Iterator[SongNetwork]:
    """An untrained network whose absent vectors are not at their start of zero."""
    built = build_network(tiny_network(encoder_folder, pooling=request.param)).eval()
    with torch.no_grad():
        for parameter in (built.absent_lyrics, built.absent_audio, built.metadata.absent_year):
            parameter.normal_()
    yield built


@torch.no_grad()
def test_vectors_are_of_unit_length(network: SongNetwork, batch: SongBatch) -> None:
    output = network(batch)
    assert output.vectors.shape == (len(SONGS), 12)
    assert output.labels.shape == (len(SONGS), 2)
    torch.testing.assert_close(output.vectors.norm(dim=1), torch.ones(len(SONGS)))


@torch.no_grad()
def test_company_in_the_batch_changes_nothing(
    network: SongNetwork, batch: SongBatch, preprocessor: Preprocessor
) -> None:
    together = network(batch)
    for row, song in enumerate(SONGS):
        alone = network(preprocessor.batch([preprocessor.numbers(song)]))
        torch.testing.assert_close(alone.vectors[0], together.vectors[row], atol=1e-5, rtol=0)
        torch.testing.assert_close(alone.labels[0], together.labels[row], atol=1e-5, rtol=0)


@torch.no_grad()
def test_what_stands_under_padding_is_not_looked_at(network: SongNetwork, batch: SongBatch) -> None:
    junk = batch.input_ids.where(batch.attention_mask.bool(), torch.tensor(9))
    assert not junk.equal(batch.input_ids)
    torch.testing.assert_close(network(batch._replace(input_ids=junk)), network(batch), atol=1e-6, rtol=0)


@torch.no_grad()
def test_pooling_is_that_of_a_plain_loop(network: SongNetwork, batch: SongBatch) -> None:
    tower = network.lyrics
    expected = []
    for song in range(len(SONGS)):
        sums, tokens = torch.zeros(tower.width), 0
        for row in (batch.window_song == song).nonzero().flatten().tolist():
            ids = batch.input_ids[row][batch.attention_mask[row].bool()]
            hidden = tower.encoder(input_ids=ids[None]).last_hidden_state[0]  # (t, H)
            pooled = hidden[0] if tower.pooling == "cls" else hidden.mean(dim=0)
            words = tower.encoder.get_input_embeddings()(ids).mean(dim=0)
            sums += torch.cat([pooled, words]) * len(ids)
            tokens += len(ids)
        expected.append(sums / max(tokens, 1))
    found = tower.pool(batch.input_ids, batch.attention_mask, batch.window_song, songs=len(SONGS))
    torch.testing.assert_close(found, torch.stack(expected), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_without_lexical_only_the_encoder_speaks(encoder_folder: Path, batch: SongBatch) -> None:
    both = build_network(tiny_network(encoder_folder)).lyrics
    alone = build_network(tiny_network(encoder_folder, lexical=False)).lyrics
    windows = batch.input_ids, batch.attention_mask, batch.window_song, len(SONGS)
    assert (both.width, alone.width) == (32, 16)
    torch.testing.assert_close(alone.pool(*windows), both.pool(*windows)[:, :16])


@torch.no_grad()
def test_values_of_absent_modalities_are_not_looked_at(network: SongNetwork, batch: SongBatch) -> None:
    lyrics, audio, genre, year = batch.present.unbind(dim=1)
    assert not any(bool(column.all()) for column in (lyrics, audio, genre, year))
    silent = (~lyrics).nonzero().flatten()  # give each song without lyrics a window of junk
    junk = SongBatch(
        input_ids=torch.cat([batch.input_ids, batch.input_ids[: len(silent)]]),
        attention_mask=torch.cat([batch.attention_mask, batch.attention_mask[: len(silent)]]),
        window_song=torch.cat([batch.window_song, silent]),
        audio=torch.where(audio[:, None], batch.audio, torch.tensor(1e30)),
        genre=torch.where(genre, batch.genre, torch.tensor(10**9)),
        year=torch.where(year, batch.year, torch.tensor(float("nan"))),
        present=batch.present,
    )
    torch.testing.assert_close(network(junk), network(batch), atol=1e-6, rtol=0)


@torch.no_grad()
def test_each_present_modality_counts(network: SongNetwork, batch: SongBatch) -> None:
    full = batch.present.all(dim=1).nonzero().flatten()
    assert len(full) > 0
    whole = network(batch).vectors[full]
    for modality in range(4):
        present = batch.present.clone()
        present[:, modality] = False
        present[:, (modality + 1) % 4] |= ~present.any(dim=1)
        without = network(batch._replace(present=present)).vectors[full]
        assert float((without - whole).abs().max(dim=1).values.min()) > 1e-4


@torch.no_grad()
def test_a_late_word_of_long_lyrics_counts(network: SongNetwork, preprocessor: Preprocessor) -> None:
    words = ["love"] * 1999
    songs = [Song(last, lyrics=" ".join([*words, last])) for last in ("love", "blood")]
    # In float64, rounding cannot be taken for the word's 2,000th part in the vector.
    batch = preprocessor.batch([preprocessor.numbers(song) for song in (*songs, songs[0])])
    precise = batch._replace(audio=batch.audio.double(), year=batch.year.double())
    love, blood, love_again = deepcopy(network).double()(precise).vectors
    assert float((love - blood).abs().max()) > 1e-7
    torch.testing.assert_close(love, love_again, atol=1e-12, rtol=0)


@torch.no_grad()
def test_gated_fusion_begins_as_concatenation() -> None:
    parts = [torch.randn(5, width) for width in (32, 6, 4)]
    gated = GatedFusion((32, 6, 4))
    torch.testing.assert_close(gated(parts), ConcatFusion((32, 6, 4))(parts))
    gated.gates.bias.copy_(torch.tensor([0.0, 100.0, -100.0]))  # gates 1, 2 and 0
    opened = balanced([parts[0], 2 * parts[1], 0 * parts[2]])
    torch.testing.assert_close(gated(parts), opened)
    assert gated.width == 42


@torch.no_grad()
def test_towers_weigh_the_same_at_the_start() -> None:
    parts = [torch.nn.functional.layer_norm(torch.randn(7, w), (w,)) for w in (64, 8, 4)]
    fused = balanced(parts)
    energies = [float(piece.square().sum()) for piece in torch.split(fused, [64, 8, 4], dim=1)]
    np.testing.assert_allclose(energies, energies[0], rtol=1e-3)


@torch.no_grad()
def test_gated_network_gives_unit_vectors_too(encoder_folder: Path, batch: SongBatch) -> None:
    vectors = build_network(tiny_network(encoder_folder, fusion="gated")).eval()(batch).vectors
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(SONGS)))


@pytest.mark.parametrize("chance", [0.15, 0.5, 0.9])
def test_dropped_modalities_follow_the_chance_and_never_are_all(chance: float) -> None:
    torch.manual_seed(0)
    present = torch.rand(40_000, 4) < 0.6
    present[~present.any(dim=1), 0] = True
    kept = drop_modalities(present, chance)
    assert not bool((kept & ~present).any())
    assert bool(kept.any(dim=1).all())
    # A song with m modalities keeps one of them with 1 - c, or keeps all when all are hit: c^m.
    for m in range(1, 5):
        songs = present.sum(dim=1) == m
        share = float(kept[songs].sum() / present[songs].sum())
        assert share == pytest.approx(1 - chance + chance**m, abs=0.02)


def test_modalities_are_hidden_in_training_alone(encoder_folder: Path, batch: SongBatch) -> None:
    network = build_network(tiny_network(encoder_folder), dropout=0.5)
    with torch.no_grad():
        assert not network.train()(batch).vectors.equal(network(batch).vectors)
        assert network.eval()(batch).vectors.equal(network(batch).vectors)


def _one_step(network: SongNetwork, batch: SongBatch) -> tuple[dict[str, Tensor], set[str]]:
    """Weights before a step of every tensor that learns, and the names of those that changed."""
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    learning = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(learning, lr=0.5)
    for _ in range(2):  # LoRA's A has no gradient until B has left zero
        optimizer.zero_grad()
        network(batch).labels.square().sum().backward()
        optimizer.step()
    after = network.state_dict()
    return before, {name for name, old in before.items() if not old.equal(after[name])}


@pytest.mark.parametrize("tuning", ["lora", "frozen", "full"])
def test_what_learns_is_what_the_setting_names(tuning: str, encoder_folder: Path, batch: SongBatch) -> None:
    before, changed = _one_step(build_network(tiny_network(encoder_folder, tuning=tuning)), batch)
    text = {name for name in before if name.startswith("lyrics.encoder.")}
    adapters = {name for name in text if "lora_" in name}
    rest = set(before) - text
    assert bool(adapters) is (tuning == "lora")
    assert rest - changed == set()
    if tuning == "full":
        # A bias of the keys shifts every attention score alike, so its gradient is rounding at most.
        assert {name for name in text - changed if "key.bias" not in name} <= {
            "lyrics.encoder.embeddings.token_type_embeddings.weight"
        }
    else:
        assert changed & text <= adapters
        # The first gradients of queries and keys are below float32's resolution of A's entries.
        assert all(".key.lora_A" in name or ".query.lora_A" in name for name in adapters - changed)


@torch.no_grad()
def test_adapters_begin_as_the_encoder_itself(encoder_folder: Path, batch: SongBatch) -> None:
    settings = tiny_network(encoder_folder)
    adapted = load_text_encoder(settings.text)
    plain = load_text_encoder(settings.text.model_copy(update={"tuning": "frozen"}))
    inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
    torch.testing.assert_close(adapted(**inputs).last_hidden_state, plain(**inputs).last_hidden_state)
    embedded = [e.get_input_embeddings()(batch.input_ids) for e in (adapted, plain)]
    torch.testing.assert_close(embedded[0], embedded[1])


@torch.no_grad()
def test_lyrics_pooled_ahead_give_the_same(encoder_folder: Path, batch: SongBatch) -> None:
    network = build_network(tiny_network(encoder_folder, tuning="frozen")).eval()
    ahead = batch._replace(pooled=network.pool_lyrics(batch, batch.present[:, 0]))
    torch.testing.assert_close(network(ahead), network(batch), atol=1e-6, rtol=0)


def test_a_batch_without_lyrics_trains(encoder_folder: Path, preprocessor: Preprocessor) -> None:
    network = build_network(tiny_network(encoder_folder)).train()
    bare = preprocessor.batch(
        [preprocessor.numbers(Song("a", year=1980)), preprocessor.numbers(Song("b", genre="pop"))]
    )
    network(bare).labels.sum().backward()
    gradient = network.absent_lyrics.grad
    assert gradient is not None
    assert bool(gradient.isfinite().all())
    assert float(gradient.abs().sum()) > 0


def test_genres_of_the_network_are_those_of_the_vocabulary(encoder_folder: Path) -> None:
    assert build_network(tiny_network(encoder_folder)).metadata.genre.num_embeddings == len(GENRES) + 1
