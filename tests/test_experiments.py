"""The recipes and their runner, tried on a few drawn pets."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from experiments import losses, table
from experiments.__main__ import main
from experiments.drawn import write_quick, write_skips
from experiments.faults import find_doubles, find_doubles_within, read_split
from experiments.networks import (
    add_flips,
    average_weights,
    build_network,
    count_multiply_adds,
)
from experiments.pictures import count_pictures, count_rings
from experiments.recipes import (
    ABLATIONS,
    COURSE,
    DRAWN,
    NUMBERS_OF_LABELS,
    QUICK,
    RECIPES,
    SKIPS,
    SMALL,
    from_tier,
    planned_seeds,
    trial,
)
from experiments.run import (
    freeze_flips,
    hash_pairs,
    leave_out_doubles,
    load_pairs,
    repeat_pictures,
    score_pictures,
    start_network,
    train_recipe,
    training_epochs,
)
from experiments.ship import describe_drawn_net
from unetbook.cards import read_card
from unetbook.config import TIERS
from unetbook.data import cache_pairs, make_dataset
from unetbook.inspection import unet_parameters
from unetbook.metrics import confusion_matrix
from unetbook.prediction import evaluate_pictures
from unetbook.results import TIER_RECIPES, read_cuts, read_measured, read_runs

ROOT = Path(__file__).parents[1]


def test_every_ablation_changes_one_thing():
    for name, recipe in ABLATIONS.items():
        changed = [
            field.name
            for field in dataclasses.fields(recipe)
            if field.name != "about"
            and getattr(recipe, field.name) != getattr(SMALL, field.name)
        ]
        if name in ("small", "small-32-bits"):
            assert changed == []
        elif name == "small-frozen-flip":  # to be held against a fresh flip
            assert changed == ["augmentation", "frozen_flip"]
        elif name == "small-no-skips-wide":  # makes up for the parameters lost
            assert changed == ["filters", "use_skips"]
        else:
            assert len(changed) == 1, name


def test_a_tier_and_the_runs_that_it_is_held_against_have_the_same_settings():
    for tier, recipe in TIER_RECIPES.items():
        assert RECIPES[recipe] == from_tier(tier, RECIPES[recipe].about)
        shared = vars(TIERS[tier]).keys() & vars(RECIPES[recipe]).keys() - {"data"}
        for run in read_runs(recipe):
            for name in shared:
                setting = json.loads(json.dumps(vars(TIERS[tier])[name]))
                assert run["settings"][name] == setting, (recipe, run["seed"], name)


def test_the_article_has_the_articles_size():
    assert build_network(RECIPES["article"]).count_params() == 34_513_475
    assert build_network(RECIPES["article-16"]).count_params() == 2_158_739


def test_the_course_takes_less_than_a_sixteenth_of_the_articles_work():
    ours = count_multiply_adds(build_network(COURSE))
    assert ours < count_multiply_adds(build_network(RECIPES["article"])) / 16


def test_networks_of_equal_size_have_equal_parameters_to_1_percent():
    expected = build_network(SMALL).count_params()
    for name in ("small-deep", "small-shallow", "small-no-skips-wide"):
        found = build_network(RECIPES[name]).count_params()
        assert found == pytest.approx(expected, rel=0.01), name


def test_the_curve_over_labels_changes_their_number_alone():
    for kind in ("course", "pretrained"):
        recipes = [RECIPES[f"{kind}-{number}"] for number in NUMBERS_OF_LABELS]
        assert [recipe.pictures for recipe in recipes] == list(NUMBERS_OF_LABELS)
        same = {dataclasses.replace(r, about="", pictures=None) for r in recipes}
        assert len(same) == 1


def test_an_epoch_of_few_pictures_shows_them_again(drawn_pets):
    recipe = dataclasses.replace(trial(RECIPES["course-50"]), pictures=5)
    pairs = load_pairs(recipe, 0)
    batches = list(training_epochs(repeat_pictures(pairs.train, recipe), recipe, 0)(0))
    assert [len(images) for images, _ in batches] == [8] * 8


def test_sizes_are_within_what_the_book_promises():
    for name in ("course-long", "large"):
        assert build_network(RECIPES[name]).count_params() <= 2_500_000
    assert build_network(RECIPES["tiny"]).count_params() <= 130_000


def test_the_shipped_results_are_those_of_the_recipes():
    for recipe, stored in (
        (QUICK, read_measured("quick_drawn")["config"]),
        (QUICK, read_measured("skips")["config"]),
        (DRAWN, read_card("drawn")["recipe"]),
    ):
        settings = json.loads(json.dumps(dataclasses.asdict(recipe)))
        shared = stored.keys() & settings.keys()
        assert len(shared) >= 5
        assert all(stored[name] == settings[name] for name in shared)
    for net in read_measured("skips")["nets"]:
        network = build_network(SKIPS[f"skips-{net['name']}"])
        assert network.count_params() == net["parameters"]


def test_up_sampling_leaves_no_transposed_convolution():
    network = build_network(ABLATIONS["small-up-sampling"])
    kinds = [type(layer) for layer in network.layers]
    assert layers.Conv2DTranspose not in kinds
    assert kinds.count(keras.Sequential) == 4
    assert network.output_shape == (None, 128, 128, 3)
    # A 3 x 3 kernel at twice the size, in place of a 2 x 2 one at half.
    plain = build_network(SMALL)
    wanted = sum(
        (9 - 4) * above * below
        for below, above in zip(SMALL.filters, SMALL.filters[1:], strict=False)
    )
    assert network.count_params() - plain.count_params() == wanted
    assert unet_parameters(SMALL.filters) == plain.count_params()
    assert count_multiply_adds(network) > count_multiply_adds(plain)


def test_weights_of_the_classes_make_up_for_their_shares():
    shares = np.array([0.2996, 0.5866, 0.1138])
    np.testing.assert_allclose(shares * losses.CLASS_WEIGHTS, 1 / 3, rtol=0.01)
    masks = np.array([[[0, 1, 2]]])
    even = np.full((1, 1, 3, 3), 1 / 3, "float32")
    weighted = losses.weighted_cross_entropy(masks, even)[0, 0]
    np.testing.assert_allclose(weighted, np.log(3) * np.array(losses.CLASS_WEIGHTS))


def test_flips_are_frozen_for_good_and_move_image_and_mask(drawn_pets):
    pairs = cache_pairs(drawn_pets.train.take(12), 16)
    frozen = freeze_flips(pairs, seed=3)
    assert hash_pairs([frozen]) == hash_pairs([frozen])
    flipped = 0
    for old, new in zip(pairs, frozen, strict=True):
        same = [np.array_equal(a, b) for a, b in zip(old, new, strict=True)]
        mirrored = [
            np.array_equal(a[:, ::-1], b) for a, b in zip(old, new, strict=True)
        ]
        assert all(same) or all(mirrored)
        flipped += all(mirrored)
    assert 0 < flipped < 12


def test_a_flip_averaged_model_does_not_care_for_mirrors():
    network = add_flips(build_network(dataclasses.replace(SMALL, filters=(2, 4))))
    images = np.random.default_rng(0).random((2, 128, 128, 3), dtype="float32")
    there = network.predict(images, verbose=0)
    back = network.predict(images[:, :, ::-1], verbose=0)[:, :, ::-1]
    np.testing.assert_allclose(there, back, atol=1e-5)


def test_scores_of_pictures_are_those_by_hand(drawn_pets):
    pairs = cache_pairs(drawn_pets.test.take(3), 16)
    network = build_network(dataclasses.replace(SMALL, image_size=16, filters=(2, 4)))
    matrices, loss = score_pictures(network, pairs)
    images, masks = next(iter(make_dataset(pairs, 3)))
    probabilities = network.predict(images, verbose=0)
    expected = confusion_matrix(masks[2], probabilities[2].argmax(-1))
    np.testing.assert_array_equal(matrices[2], expected)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy()(masks, probabilities)
    assert loss == pytest.approx(float(cross_entropy), rel=1e-4)


def test_pictures_are_counted_in_every_way_from_one_prediction(drawn_pets):
    batches = make_dataset(cache_pairs(drawn_pets.test.take(3), 16), 2)
    network = build_network(dataclasses.replace(SMALL, image_size=16, filters=(2, 4)))
    counts = count_pictures(network, batches)
    matrices = evaluate_pictures(network, batches)
    np.testing.assert_array_equal(counts["matrices"], matrices)
    wrong, right = counts["confidence"].sum(axis=0)
    assert right == np.trace(matrices.sum(axis=0))
    assert wrong + right == 3 * 16 * 16 == counts["ring_pixels"].sum()
    assert counts["ring_errors"].sum() == wrong


def test_rings_are_counted_outwards_from_the_border():
    mask = np.array([[2, 0, 0, 0, 0, 0]])  # distances 0 to 5
    pixels, errors = count_rings(mask, np.array([[2, 0, 1, 0, 0, 1]]))
    assert pixels.tolist() == [1, 1, 2, 2, 0, 0]  # 0; 1; 2, 3; 4, 5; 8 and more
    assert errors.tolist() == [0, 0, 1, 1, 0, 0]
    assert count_rings(np.ones((2, 2), int), np.zeros((2, 2), int)).sum() == 0


STRONGER = {
    "augmentation": ("flip", "colour", "zoom", "tint", "blur"),
    "averaged_epochs": 2,
}


def start(folder, changes):
    """Try the recipe `course`, with these changes, in a process of its own."""
    code = f"""if True:
        from dataclasses import replace
        from experiments.__main__ import main
        from experiments.recipes import RECIPES
        RECIPES["course"] = replace(RECIPES["course"], **{changes!r})
        main(["run", "course", "--trial", "--folder", {str(folder)!r}])
    """
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"UNETBOOK_RUNS": str(folder / "runs")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def read(folder):
    """Read a trial's file without what a clock said."""
    measured = json.loads((folder / "course-0.json").read_text())
    del measured["seconds"], measured["history"]["seconds"]
    return measured


def test_averaged_weights_lie_half_way():
    network = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    network.set_weights([np.array([[1.0], [3.0]]), np.array([5.0])])
    average_weights(network, [np.array([[3.0], [-3.0]]), np.array([0.0])])
    assert [w.ravel().tolist() for w in network.get_weights()] == [[2, 0], [2.5]]


@pytest.mark.slow
def test_a_recipe_goes_on_from_the_network_of_another(
    drawn_pets, tmp_path, monkeypatch
):
    monkeypatch.setenv("UNETBOOK_RUNS", str(tmp_path))
    first = dataclasses.replace(trial(COURSE), filters=(2, 4), epochs=1)
    monkeypatch.setitem(RECIPES, "first", first)
    pairs = load_pairs(first, 0)
    trained, _ = train_recipe(first, "first", 0, pairs)
    second = dataclasses.replace(first, after="first")
    started = start_network(second, 0, pairs, "float32")
    fresh = start_network(first, 0, pairs, "float32")
    for ours, theirs in zip(started.weights, trained.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(fresh.weights[0], started.weights[0])


@pytest.mark.slow
def test_a_run_killed_and_resumed_writes_the_same_file(
    drawn_pets, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(RECIPES, "course", dataclasses.replace(COURSE, **STRONGER))

    def finish(folder):
        monkeypatch.setenv("UNETBOOK_RUNS", str(folder / "runs"))
        main(["run", "course", "--trial", "--folder", str(folder)])

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = start(killed, STRONGER)
    for line in process.stdout:
        if line.startswith("epoch 1/2"):
            process.send_signal(signal.SIGKILL)
            break
    process.wait(60)
    assert not (killed / "course-0.json").exists()
    finish(killed)
    words = capsys.readouterr().out
    assert "Going on after epoch 1 of 2." in words or "restored" in words
    finish(whole)
    assert read(killed) == read(whole)


def test_a_trial_needs_a_folder():
    with pytest.raises(SystemExit, match="give its files a --folder"):
        main(["run", "course", "--trial"])


def test_an_unknown_recipe_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["run", "curse"])
    error = capsys.readouterr().err
    assert "invalid choice: 'curse'" in error
    assert "course-long" in error


def test_seeds_of_a_file_that_always_has_the_same_are_refused():
    with pytest.raises(SystemExit, match="leave --seed out"):
        main(["run", "quick", "--seed", "1"])


def test_naming_the_recipes_takes_no_tensorflow():
    code = "import sys; from experiments.__main__ import main; main(['list'])"
    code += "; print({'keras', 'tensorflow'} & sys.modules.keys())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    *lines, loaded = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(RECIPES)
    assert loaded == "set()"


def test_a_run_of_several_recipes_writes_the_files_asked_for(monkeypatch, tmp_path):
    def measure(recipe, name, seed, precision):
        measured = read_measured("small-0") | {"recipe": name, "seed": seed}
        return measured, build_network(trial(SMALL))

    monkeypatch.setattr("experiments.run.measure", measure)
    folder = tmp_path / "new"
    main(["run", "course", "tiny", "--seed", "0", "--seed", "4", f"--folder={folder}"])
    names = ["course-0.json", "course-4.json", "tiny-0.json", "tiny-4.json"]
    assert sorted(path.name for path in folder.iterdir()) == names
    main(["run", "quick", f"--folder={folder}"])
    runs = read_measured("quick_drawn", folder)["runs"]
    assert [run["seed"] for run in runs] == [0, 1, 2]


def outline(value):
    """Return what a JSON value is made of, without its numbers and words."""
    if isinstance(value, dict):
        return {key: outline(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [outline(inner) for inner in value[:1]]
    return type(value)


def test_files_of_the_drawn_pets_are_written_in_the_form_of_the_stored(
    drawn_pets, tmp_path
):
    runs = []
    for name, recipe in SKIPS.items():
        settings = dataclasses.asdict(trial(recipe))
        measured = read_measured("small-0") | {"recipe": name, "settings": settings}
        runs.append((measured, build_network(trial(recipe))))
    write_quick(iter(runs), tmp_path)
    write_skips(iter(runs), tmp_path)
    for name in ("quick_drawn", "skips"):
        written, stored = read_measured(name, tmp_path), read_measured(name)
        assert written["made_by"] == stored["made_by"]
        assert written["config"].pop("loss") == "cross-entropy"  # came later
        assert outline(written) == outline(stored)
    (measured, arrays), (stored, stored_arrays) = read_cuts(tmp_path), read_cuts()
    for ours, theirs in zip(measured["nets"], stored["nets"], strict=True):
        assert (ours["name"], ours["cut"]) == (theirs["name"], theirs["cut"])
    assert measured["pictures"] == stored["pictures"]
    for name, array in stored_arrays.items():
        assert arrays[name].dtype == array.dtype
        small = tuple(32 if side == 128 else side for side in array.shape)
        assert arrays[name].shape == small


def test_the_card_of_the_drawn_net_is_made_as_the_stored_one_was():
    stored = read_card("drawn")
    recipe, matrix = stored["recipe"], stored["scores"]["matrix"]
    card = describe_drawn_net(DRAWN, 0, np.array([matrix]), recipe["made_by"])
    card = json.loads(json.dumps(card))
    card["recipe"]["where"], card["scores"]["pictures"] = recipe["where"], 240
    assert card == {key: stored[key] for key in card}


def test_the_table_lists_what_is_there_and_what_is_missing(capsys, tmp_path):
    matrix = [[3, 1, 0], [0, 8, 0], [0, 0, 4]]
    for seed in (0, 1):
        run = {
            "seed": seed,
            "parameters": 1234,
            "multiply_adds": 5_000_000,
            "where": {"device": "CPU", "cores": 2},
            "seconds": {"training": 900},
            "validation": {"matrix": matrix},
            "test": {"matrix": matrix, "cross_entropy": 0.3},
            "test_with_flips": {"matrix": matrix},
        }
        (tmp_path / f"tiny-{seed}.json").write_text(json.dumps(run))
    table.print_table(tmp_path)
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if line.startswith("tiny "))
    assert row.split()[1:5] == ["2/3", "0.880", "±", "0.000"]
    assert f"course ({planned_seeds('course')})" in printed
    assert "tiny (1)" in printed


def test_doubles_are_found_although_they_differ_a_little():
    thumbs = np.random.default_rng(0).integers(0, 256, (6, 100)).astype(float)
    others = np.concatenate([thumbs[[4, 2]] + 2, thumbs[[0]] + 9])
    assert find_doubles(thumbs, others) == [(2, 1), (4, 0)]
    assert find_doubles_within(np.concatenate([thumbs, thumbs[[1]] + 3])) == [(1, 6)]


@pytest.mark.photos
def test_no_photograph_stands_on_both_sides_of_the_validation_cut(photos):
    validation = leave_out_doubles(photos.train, photos.validation)
    train, validation = (read_split(split)[1] for split in (photos.train, validation))
    assert len(validation) < 368, "one of 368 has a double in train"
    assert find_doubles(train, validation) == []
