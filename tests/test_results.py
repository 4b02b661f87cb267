import json
from dataclasses import replace

import numpy as np
import pytest

from unetbook.config import TIERS
from unetbook.results import (
    compare_runs,
    format_spread,
    list_recipes,
    read_cuts,
    read_expected,
    read_measured,
    read_pictures,
    read_runs,
    score_runs,
    spread,
)


def write_run(folder, recipe, seed, matrix):
    score = {"matrix": matrix}
    run = {"recipe": recipe, "seed": seed, "test": score, "validation": score}
    run["where"] = {"precision": "float32"}
    (folder / f"{recipe}-{seed}.json").write_text(json.dumps(run))


PERFECT = [[4, 0, 0], [0, 4, 0], [0, 0, 4]]
HALF = [[2, 2, 0], [0, 4, 0], [0, 0, 4]]


def test_runs_come_in_the_order_of_their_seeds_and_of_this_recipe_only(tmp_path):
    for seed in (10, 2, 0):
        write_run(tmp_path, "course", seed, PERFECT)
    write_run(tmp_path, "course-long", 1, HALF)
    assert [run["seed"] for run in read_runs("course", tmp_path)] == [0, 2, 10]
    assert read_runs("tiny", tmp_path) == []


def test_scores_have_one_row_a_run(tmp_path):
    write_run(tmp_path, "course", 0, PERFECT)
    write_run(tmp_path, "course", 1, HALF)
    scores = score_runs(read_runs("course", tmp_path))
    np.testing.assert_allclose(scores["iou"], [[1, 1, 1], [1 / 2, 4 / 6, 1]])
    np.testing.assert_allclose(scores["mean_iou"], [1, (1 / 2 + 2 / 3 + 1) / 3])
    np.testing.assert_allclose(scores["pixel_accuracy"], [1, 10 / 12])
    merged = score_runs(read_runs("course", tmp_path), "merged", "validation")
    np.testing.assert_allclose(merged["iou"][1], [6 / 8, 4 / 6])


def test_a_tier_is_expected_to_reach_what_its_recipe_reached(tmp_path):
    for recipe, curves in (("course", ([0.1, 0.7], [0.2, 0.6])), ("quick", ([0.9],))):
        for seed, curve in enumerate(curves):
            run = {"seed": seed, "history": {"val_mean_iou": curve}}
            (tmp_path / f"{recipe}-{seed}.json").write_text(json.dumps(run))
    quick = {"runs": [{"val_mean_iou": 0.8}, {"val_mean_iou": 0.81}]}
    (tmp_path / "quick_drawn.json").write_text(json.dumps(quick))

    def expected(tier, data):
        return read_expected(replace(TIERS[tier], data=data), tmp_path)

    assert expected("quick", "drawn") == [0.8, 0.81]
    assert expected("standard", "oxford") == [0.7, 0.6]
    assert expected("full", "oxford") == []
    assert expected("quick", "oxford") == expected("standard", "drawn") == []
    assert expected("standard", "my/pets") == []


def test_recipes_that_were_measured_are_listed_once_each(tmp_path):
    for recipe, seed in (("tiny", 0), ("small-wide", 1), ("small-wide", 0)):
        write_run(tmp_path, recipe, seed, HALF)
    for name in ("faults", "small-notes"):
        (tmp_path / f"{name}.json").write_text("{}")
    assert list_recipes(tmp_path) == ["small-wide", "tiny"]


def test_scoring_nothing_is_refused():
    with pytest.raises(ValueError, match="has not been measured"):
        score_runs([])


def test_runs_are_compared_seed_by_seed(tmp_path):
    for seed, matrix in ((0, PERFECT), (2, HALF)):
        write_run(tmp_path, "plain", seed, matrix)
    for seed in (0, 1, 2):
        write_run(tmp_path, "changed", seed, HALF)
    changed, plain = (read_runs(name, tmp_path) for name in ("changed", "plain"))
    mean = (1 / 2 + 2 / 3 + 1) / 3
    np.testing.assert_allclose(compare_runs(changed, plain), [mean - 1, 0])
    np.testing.assert_allclose(
        compare_runs(changed, plain, "iou"), [[-1 / 2, -1 / 3, 0], [0, 0, 0]]
    )
    for run in changed:
        run["validation"] = {"matrix": PERFECT}
    np.testing.assert_allclose(compare_runs(changed, plain), [0, 1 - mean])
    np.testing.assert_allclose(compare_runs(changed, plain, split="test")[0], mean - 1)
    with pytest.raises(ValueError, match=r"others has \[\(0, 'float32'\)\]"):
        compare_runs(changed[1:], plain[:1])


def test_runs_of_two_precisions_are_not_compared(tmp_path):
    for recipe, matrix in (("other", HALF), ("small", PERFECT)):
        write_run(tmp_path, recipe, 0, matrix)
    changed, plain = (read_runs(name, tmp_path) for name in ("other", "small"))
    scores = compare_runs(changed, plain)
    both = [*plain, {**changed[0], "where": {"precision": "mixed_bfloat16"}}]
    np.testing.assert_array_equal(compare_runs(changed, both), scores)
    with pytest.raises(ValueError, match="no seed and precision in common"):
        compare_runs(changed, both[1:])


def test_spread_divides_by_one_less_than_the_runs():
    assert spread([1, 3]) == (2, pytest.approx(2**0.5))
    mean, deviation = spread([0.7])
    assert mean == 0.7
    assert np.isnan(deviation)


def test_one_run_has_no_spread_to_write():
    assert format_spread([0.7124]) == "0.712"
    assert format_spread([0.70, 0.72]) == "0.710 ± 0.014"


def test_missing_pictures_name_the_command_that_writes_them(tmp_path):
    with pytest.raises(ValueError, match="python -m experiments pictures tiny"):
        read_pictures("tiny", tmp_path)


def test_a_missing_file_names_those_there(tmp_path):
    write_run(tmp_path, "tiny", 0, PERFECT)
    with pytest.raises(ValueError, match="the results there are: tiny-0"):
        read_measured("course-0", tmp_path)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "tiny-0.json").write_text("{")
    with pytest.raises(ValueError, match=r"tiny-0\.json cannot be read"):
        read_runs("tiny", tmp_path)


def test_missing_masks_of_the_cut_nets_are_named_with_their_command(tmp_path):
    (tmp_path / "skips.json").write_text("{}")
    with pytest.raises(ValueError, match="skips_pictures.npz is missing. `make skips`"):
        read_cuts(tmp_path)


def test_old_names_raise_an_error_that_gives_the_new_one():
    with pytest.raises(ValueError, match="'course-longer'.*'large'"):
        read_runs("course-longer")
    with pytest.raises(ValueError, match="'course'.*'large'"):
        read_pictures("course")
