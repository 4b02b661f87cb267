"""The chapters' sentences about what was measured say what `measured/` says."""

import json
import math

import keras
import numpy as np
import pytest

from tests.paths import BOOK, ROOT
from unetbook.cards import read_card
from unetbook.config import TIERS
from unetbook.explorers.anatomy import seen_square, split_blocks
from unetbook.metrics import BORDER_POLICIES, iou_per_class, mean_iou, score_border
from unetbook.model import build_unet
from unetbook.results import (
    RINGS,
    TIER_RECIPES,
    compare_runs,
    list_recipes,
    read_cuts,
    read_measured,
    read_pictures,
    read_runs,
    score_runs,
)

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
WORTH = "09_what_it_is_worth"
PLAIN = ("small", "small-32-bits")  # what ablations are held against
ENCODER = "11_pretrained_encoder"
OWN = "12_your_own_pictures"
LABELS = (50, 100, 200, 400, 800, 3312)  # photographs of the recipes `course-N`


def prose(chapter):
    """Return the text of a page, or of a chapter's Markdown cells, on one line."""
    page = BOOK / f"{chapter}.md"
    if page.exists():
        return " ".join(page.read_text(encoding="utf-8").split())
    cells = json.loads((BOOK / f"{chapter}.ipynb").read_text())["cells"]
    texts = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
    return " ".join(" ".join(texts).split())


def missing(chapter, sentences):
    """Return those sentences that a chapter does not hold."""
    text = prose(chapter)
    return [sentence for sentence in sentences if sentence not in text]


def test_one_wrong_pixel_halves_the_mean_iou_of_a_picture_without_a_pet():
    truth, prediction = np.ones(100, "int32"), np.ones(100, "int32")
    by_keras = keras.metrics.MeanIoU(num_classes=2)
    assert mean_iou([[0, 0], [0, 100]]) == 1
    assert float(by_keras(truth, prediction)) == pytest.approx(1)
    prediction[0] = 0
    by_keras.reset_state()
    assert float(by_keras(truth, prediction)) == pytest.approx(0.495)
    assert mean_iou([[0, 0], [1, 99]]) == pytest.approx((0 / 1 + 99 / 100) / 2)
    sentence = "The pet has 0/1, the background 99/100, and the mean is 0.495."
    assert not missing("08_prediction", [sentence])


@pytest.fixture(scope="module")
def pictures():
    return read_pictures("large")


@pytest.fixture(scope="module")
def shipped():
    """The scores of the run whose weights the book ships."""
    recipe = read_card("large")["recipe"]
    runs = [run for run in read_runs(recipe["recipe"]) if run["seed"] == recipe["seed"]]
    return {
        border: {key: value[0] for key, value in score_runs(runs, border).items()}
        for border in BORDER_POLICIES
    }


def test_the_three_scorings_of_the_shipped_network(shipped):
    pretrained = score_border(
        read_pictures("pretrained").matrices.sum(axis=0), "merged"
    )
    means = {border: scores["mean_iou"] for border, scores in shipped.items()}
    sentences = [
        f"`large` score {means['class']:.2f} with the border as a class, "
        f"{means['ignored']:.2f} without it and {means['merged']:.2f} with the border",
        f"Scored like that, `large` has {shipped['merged']['iou'][0]:.2f} and "
        f"`pretrained` {pretrained['iou'][0]:.2f}.",
    ]
    assert missing(WORTH, sentences) == []


def test_the_readme_says_what_the_shipped_network_scores(shipped):
    readme = " ".join((ROOT / "README.md").read_text().split())
    parameters = read_card("large")["parameters"]
    scores = shipped["class"]
    sentence = (
        f"ships, {parameters:,} parameters trained from random numbers, scores a mean "
        f"IoU of {scores['mean_iou']:.3f} and an accuracy of "
        f"{scores['pixel_accuracy']:.3f} on the whole test split"
    )
    assert sentence in readme


def test_the_curves_of_chapter_9_do_what_it_says():
    names = ("article-16", "course", "course-long", "large")
    runs = {name: read_runs(name) for name in names}
    curves = {name: runs[name][0]["history"]["val_mean_iou"] for name in names}
    ours, theirs = (
        np.array([run["history"]["val_mean_iou"] for run in runs[name]])
        for name in ("course", "article-16")
    )
    assert ours[:, -1].min() > theirs[:, -1].max() + 0.02
    assert theirs[:, -1].std() > 3 * ours[:, -1].std()
    assert max(curves["course-long"][30:]) > max(curves["course-long"][:20]) + 0.005
    assert abs(curves["course-long"][-1] - curves["course-long"][31]) < 0.001
    longer, before = curves["large"], curves["course-long"][-1]
    averaged = score_runs(read_runs("large"), split="validation")["mean_iou"][0]
    sentences = [
        "`course-long` rises for 32 of its 40 epochs, more and more slowly, and ends "
        "above `course`",
        f"throws it back from {before:.3f} to {longer[0]:.3f}, and it ends at "
        f"{longer[-1]:.3f}",
        f"which changed little: {averaged:.3f}",
    ]
    assert longer[-1] - 0.003 < averaged <= longer[-1]
    assert curves["course-long"][-1] > ours[:, -1].max()
    assert missing(WORTH, sentences) == []


def test_how_long_the_runs_took():
    ablations = [name for name in list_recipes() if name.startswith("small")]
    minutes = {
        name: [
            run["seconds"]["training"] / 60
            for run in read_runs(name)
            if (run["where"]["device"], run["where"]["cores"]) == ("CPU", 2)
        ]
        for name in ("article-16", "course", "course-long", "large", "tiny", *ablations)
    }
    every = [one for of_recipe in minutes.values() for one in of_recipe]
    assert 1.4 < min(every) < 1.6
    assert max(every) > 60
    changed = len(ablations) - len(PLAIN)
    assert changed == 16
    assert 2 * changed * np.mean(minutes["course"]) > 600
    sentences = [
        "on two processor cores each of ours took from a minute and a half to more "
        "than an hour",
        "Sixteen ablations of `course`, with two seeds each, would take two cores more "
        "than ten hours",
    ]
    assert missing(WORTH, sentences) == []


def test_how_much_luck_there_is_in_a_score():
    theirs, ours = (
        score_runs(read_runs(n))["mean_iou"] for n in ("article-16", "course")
    )
    sentences = [
        f"The {NUMBERS[len(theirs)]} runs of `article-16` differ in their random "
        f"numbers alone, and yet the best beats the worst by {np.ptp(theirs):.2f}",
        f"The {NUMBERS[len(ours)]} runs of `course` lie within {np.ptp(ours):.3f}",
        f"Our gain of {ours.mean() - theirs.mean():.2f} is beyond luck",
    ]
    assert missing(WORTH, sentences) == []


def test_every_run_gains_from_its_mirror_image_and_less_than_a_hundredth():
    for name in ("article-16", "course", "course-long", "large", "tiny", "pretrained"):
        for run in read_runs(name):
            once, twice = (
                score_runs([run], split=split)["mean_iou"][0]
                for split in ("test", "test_with_flips")
            )
            assert 0 < twice - once < 0.01, name
    sentence = "In this table it gains less than 0.01, but every run gains."
    assert missing(WORTH, [sentence]) == []


def test_how_many_steps_the_shortest_training_takes():
    quick = TIERS["quick"]
    pets = 720  # drawn ones: 800 without a tenth for validation
    assert pets / quick.batch_size * quick.epochs == 405
    assert (
        missing("03_encoder", ["The `quick` tier trains for about four hundred"]) == []
    )


def test_what_the_sixth_level_of_the_full_tier_costs():
    course, long = (read_runs(name)[0]["parameters"] for name in TIER_RECIPES.values())
    assert 1 / 6.5 < long / course - 1 < 1 / 5.5
    assert missing("04_bottleneck", ["cost it a sixth more parameters"]) == []


def test_how_far_the_decoder_widens_the_view_of_the_bottleneck():
    model = build_unet(128, filters=(1, 1, 1, 1, 1))
    first = next(b for b in split_blocks(model) if b.name == "decoder 4")
    sentence = f"first block sees three cells in a row, {seen_square(model, first)[1]}"
    assert missing("04_bottleneck", [sentence]) == []


def test_the_tiny_network_against_the_articles():
    tiny, article = read_runs("tiny"), read_runs("article-16")
    assert 18 < article[0]["parameters"] / tiny[0]["parameters"] < 19
    after_ten, theirs = (
        [run["history"]["val_mean_iou"][9] for run in runs] for runs in (tiny, article)
    )
    assert min(after_ten) > max(theirs)
    worst, best = (
        score_runs(tiny)["mean_iou"].min(),
        score_runs(article)["mean_iou"].max(),
    )
    assert worst > best + 0.02
    sentence = (
        "`tiny` has an eighteenth of the parameters of `article-16`, and leads it "
        "after ten epochs"
    )
    assert missing(WORTH, [sentence]) == []


def test_what_background_everywhere_scores_on_photographs(pictures):
    shares = pictures.matrices.sum(axis=(0, 2)) / pictures.matrices.sum()
    pet, background, border = (100 * shares).round().astype(int)
    sentences = [
        f"On the photographs it is {pet}, {background} and {border} %",
        f"is right on {background} % of the pixels",
        f"0 for pet, {background / 100} for background, 0 for border, a mean of "
        f"{shares[1] / 3:.2f}",
    ]
    assert missing("01_dataset", sentences) == []
    sentence = f'"background everywhere" is right on {background} % of the pixels'
    assert missing("intro", [sentence]) == []


@pytest.mark.photos
def test_what_the_trimaps_of_the_photographs_show(photos):
    centre, corner, touching = np.zeros(4), np.zeros(4), np.zeros(4)
    for split in photos[:2]:
        for example in split.as_numpy_iterator():
            trimap = example["segmentation_mask"][..., 0]
            centre[trimap[trimap.shape[0] // 2, trimap.shape[1] // 2]] += 1
            corner[trimap[0, 0]] += 1
            left, right = trimap[:, :-1], trimap[:, 1:]
            third = (6 - left - right)[left != right]  # 3 where pet meets background
            touching += np.bincount(third, minlength=4)
    assert centre.sum() == 3680
    assert touching[3] < touching.sum() / 2000
    in_centre, in_corner = 100 * centre[1] / 3680, 100 * corner[2] / 3680
    sentences = [
        f"Of the 3,680 for training, {in_centre:.0f} % have the pet in the centre and "
        f"{in_corner:.0f} % have background in the corner",
        "they are pet and background in less than one of 2,000 cases",
    ]
    assert missing("01_dataset", sentences) == []


def test_how_well_two_annotations_agree(shipped, pictures):
    faults = read_measured("faults")
    three = score_border(faults["between_annotations"]["matrix"])
    doubled = np.isin(pictures.file_names, [name for _, name in faults["doubles"]])
    assert len(faults["doubles"]) == doubled.sum() == 22
    on_doubles = mean_iou(pictures.matrices[doubled].sum(axis=0))
    sentences = [
        "22 photographs stand in train *and* in test under two names",
        f"They agree to a mean IoU of {three['mean_iou']:.2f}. At the border they "
        f"agree to {three['iou'][2]:.2f} only",
        f"Is {three['mean_iou']:.2f} a ceiling? No",
        f"`large` has {shipped['class']['mean_iou']:.2f} on all test photographs, but "
        f"{on_doubles:.2f} on these 22",
        f"agree to {three['mean_iou']:.2f}, and that is no ceiling",
    ]
    assert missing(WORTH, sentences) == []
    within = len(faults["doubles_within"]["train"])
    sentences = [
        f"has 22 cases across train and test, and {within} inside the training pictures"
    ]
    assert missing("01_dataset", sentences) == []


def test_breeds_differ_as_their_sizes_do(pictures):
    share = pictures.matrices[:, 0].sum(axis=1) / pictures.matrices.sum(axis=(1, 2))
    breeds = list(pictures.breeds)
    iou, shares = {}, {}
    for label, breed in enumerate(breeds):
        chosen = pictures.labels == label
        iou[breed] = iou_per_class(pictures.matrices[chosen].sum(axis=0))[0]
        shares[breed] = share[chosen].mean()
    assert max(iou, key=iou.get) == "samoyed"
    assert min(iou, key=iou.get) == "miniature_pinscher"
    assert shares["miniature_pinscher"] < 0.6 * shares["samoyed"]
    assert missing(WORTH, ["they are photographed small"]) == []


def test_what_faults_and_doubles_cost(pictures):
    faults = read_measured("faults")
    empty = faults["empty_trimaps"]
    assert len(empty["train"]) + len(empty["test"]) == 14
    scores = np.array([mean_iou(matrix) for matrix in pictures.matrices])
    worst = pictures.file_names[np.argsort(scores)[:8]]
    faulty = np.isin(pictures.file_names, empty["test"])
    doubled = np.isin(pictures.file_names, [name for _, name in faults["doubles"]])

    def score(kept):
        return mean_iou(pictures.matrices[kept].sum(axis=0))

    everything = score(slice(None))
    of_worst = np.isin(pictures.file_names, worst) & faulty
    sentences = [
        f"{NUMBERS[of_worst.sum()].capitalize()} of the eight hold no pet according",
        f"empty like these, {len(empty['train'])} in train and {faulty.sum()} in test",
        f"The empty trimaps cost {score(~faulty) - everything:.4f} of the mean IoU, "
        f"and the doubles give {everything - score(~doubled):.4f}.",
    ]
    assert missing(WORTH, sentences) == []


def test_most_errors_lie_in_the_border_or_beside_it(pictures):
    errors, pixels = pictures.ring_errors, pictures.ring_pixels
    sentence = (
        f"{100 * errors[:3].sum() / errors.sum():.0f} % of the errors lie in the "
        "border or less than four pixels beside it, on "
        f"{100 * pixels[:3].sum() / pixels.sum():.0f} % of the pixels"
    )
    assert RINGS[2] == 4
    assert missing(WORTH, [sentence]) == []


def test_small_pets_score_lower_and_species_differ_little(pictures):
    cats, dogs = (
        iou_per_class(pictures.matrices[pictures.species == code].sum(axis=0))[0]
        for code in (0, 1)
    )
    assert missing(WORTH, [f"Cats and dogs differ by {cats - dogs:.2f}."]) == []
    share = pictures.matrices[:, 0].sum(axis=1)
    smallest = share <= np.quantile(share, 0.25)
    smallest_iou = iou_per_class(pictures.matrices[smallest].sum(axis=0))[0]
    assert smallest_iou < min(cats, dogs) - 0.1


def test_drawings_are_strange_to_the_network_of_photographs():
    drawn = read_card("large")["scores"]["drawn"]["mean_iou"]
    own = read_card("drawn")["scores"]["class"]["mean_iou"]
    assert own > drawn + 0.2
    cells = json.loads((BOOK / "08_prediction.ipynb").read_text())["cells"]
    printed = [
        "".join(output.get("text", ""))
        for cell in cells
        for output in cell.get("outputs", ())
    ]
    line = f"trained on drawings: {own:.2f}; trained on photographs: {drawn:.2f}\n"
    assert line in printed


def test_card_and_pictures_and_run_belong_together(pictures):
    card = read_card("large")
    total = np.array(card["scores"]["test"]["matrix"])
    np.testing.assert_array_equal(pictures.matrices.sum(axis=0), total)
    run = read_runs(card["recipe"]["recipe"])[card["recipe"]["seed"]]
    assert run["parameters"] == card["parameters"]
    assert mean_iou(run["test"]["matrix"]) == pytest.approx(mean_iou(total), abs=0.0005)


def test_the_larger_network_is_the_less_honest_about_its_certainty(pictures):
    for name in ("large", "tiny"):
        stored = read_pictures(name)
        pixels, right = stored.confidence.sum(), stored.confidence[:, 1].sum()
        assert pixels == stored.matrices.sum() == 3669 * 128**2
        assert right == np.trace(stored.matrices.sum(axis=0))
    large, tiny = (
        counts[:, 1] / np.maximum(counts.sum(axis=1), 1)
        for counts in (pictures.confidence, read_pictures("tiny").confidence)
    )
    bins = np.arange(20) / 20
    assert (large[11:19] < tiny[11:19]).all()
    assert (tiny[11:19] < bins[11:19]).all(), "below the boxes"
    assert min(large[19], tiny[19]) > 0.95, "in the last box"
    sentence = (
        f"claims between 85 and 90 %, it is right in {100 * large[17]:.0f} % of the "
        f"cases; `tiny` is right in {100 * tiny[17]:.0f} %"
    )
    assert missing(WORTH, [sentence]) == []


def gain(change, key="mean_iou"):
    """Return what a changed network gained on validation pictures, seed by seed."""
    plain = [run for name in PLAIN for run in read_runs(name)]
    return compare_runs(read_runs(f"small-{change}"), plain, key)


def both(values):
    """Write what two seeds lost or gained, without the sign: `0.05 and 0.11`."""
    return " and ".join(f"{abs(value):.2f}" for value in values)


def test_the_articles_recipe_and_ours_differ_in_eight_rows_beside_the_widths():
    (ours,), (theirs,) = (read_runs(name)[:1] for name in ("course", "article-16"))
    ours, theirs = ours["settings"], theirs["settings"]
    differing = {k for k in ours if ours[k] != theirs.get(k)} - {"about"}
    of_setting = {
        "up_kernel_size": "up-sampling",
        "batch_normalization": "normalisation",
        "dropout_rate": "dropout",
        "block_dropout_rate": "dropout",
        "learning_rate": "optimizer",
        "constant_rate": "optimizer",
        "batch_size": "batch",
        "frozen_flip": "flips",
        "augmentation": "other augmentation",
        "loss": "loss",
    }
    assert differing == set(of_setting)
    rows = set(of_setting.values())
    assert missing(WORTH, [f"| {row} |" for row in rows]) == []
    changed = f"changed {NUMBERS[len(rows)]} more rows"
    steps = [10 * math.ceil(3312 / one["batch_size"]) for one in (ours, theirs)]
    sentence = f"ten epochs have {steps[0]:,} steps instead of {steps[1]:,}"
    assert missing(WORTH, [changed, sentence]) == []


def test_what_each_part_is_worth():
    first, second = score_runs(read_runs("small"), split="validation")["mean_iou"]
    sentences = [
        f"plain network alone scores {first:.3f} with one and {second:.3f} with",
        f"Without normalisation the network loses "
        f"{both(gain('no-batch-normalization'))}, though",
        f"Half the widths lose {both(gain('narrow'))}: one of the two never found",
        f"Twice the widths gain {both(gain('wide'))}.",
        f"Cut skips cost {both(gain('no-skips'))}.",
        f"a network without skips still loses {both(gain('no-skips-wide'))}.",
        f"it leaves the network {-gain('frozen-flip').mean():.3f} below the plain one. "
        "No augmentation at all costs hardly more: "
        f"{-gain('no-augmentation').mean():.3f}",
        f"Cross-entropy alone loses {both(gain('no-dice'))}, nearly all",
        f"Crops cost {-gain('crop').mean():.2f}, perhaps",
        f"without* dropout the network gains {both(gain('no-dropout'))}.",
    ]
    assert missing(WORTH, sentences) == []


def test_what_weighted_classes_and_up_sampling_change_beside_the_score():
    plain, up, weighted = (
        read_runs(name) for name in ("small", "small-up-sampling", "small-weighted")
    )
    accuracy, fallen = (
        score_runs(runs, split="validation")["pixel_accuracy"].mean()
        for runs in (plain, weighted)
    )
    work, more = (round(runs[0]["multiply_adds"] / 1e6) for runs in (plain, up))
    sentences = [
        f"accuracy falls from {accuracy:.2f} to {fallen:.2f}.",
        f"{work} million multiply-adds per picture instead of {more}",
    ]
    assert missing(WORTH, sentences) == []


def test_what_a_level_more_or_less_is_worth_at_equal_parameters():
    plain, shallow = (read_runs(name)[0] for name in ("small", "small-shallow"))
    more_work = round(shallow["multiply_adds"] / plain["multiply_adds"])
    assert gain("deep").min() < 0 < gain("deep").max()
    assert gain("shallow").min() > 0
    sentence = (
        f"the network gains {both(gain('shallow'))}, for {NUMBERS[more_work]} times "
        "the work"
    )
    assert missing(WORTH, [sentence]) == []
    sentence = "finds no clear gain in one level more"
    assert missing("04_bottleneck", [sentence]) == []


def test_which_ablations_were_trained_in_another_precision():
    precisions = {
        name: {run["where"]["precision"] for run in read_runs(name)}
        for name in list_recipes()
        if name.startswith("small")
    }
    other = ("32-bits", "deep", "kernel-3", "no-skips-wide", "shallow")
    for name, of_recipe in precisions.items():
        in_32_bits = name.removeprefix("small-") in other
        expected = {"float32" if in_32_bits else "mixed_bfloat16"}
        assert of_recipe == expected, name
    in_32_bits, in_16 = (
        score_runs(read_runs(name), split="validation")["mean_iou"]
        for name in ("small-32-bits", "small")
    )
    first, second = in_32_bits
    sentences = [
        "The three with as many parameters and the one with kernels of 3 were trained "
        "in 32 bits, all others in 16.",
        f"another one, in 32 bits ({first:.3f} and {second:.3f})",
    ]
    assert missing(WORTH, sentences) == []
    first, second = in_32_bits - in_16
    sentence = f"with 32 bits, the plain network of chapter 9 gains {first:.3f} and "
    assert missing("10_training_in_practice", [f"{sentence}{second:.3f}"]) == []


def test_what_repeating_and_convolving_costs_the_whole_network():
    plain, up = (
        read_runs(name)[0]["multiply_adds"] for name in ("small", "small-up-sampling")
    )
    assert up / plain - 1 == pytest.approx(1 / 3, abs=0.03)
    sentence = "In our whole network it is about a third more work"
    assert missing("02_transposed_convolution", [sentence]) == []


def test_which_parts_both_seeds_agree_on():
    for change in ("no-skips", "no-skips-wide", "no-batch-normalization", "narrow"):
        assert gain(change).max() < -0.04, change
        iou = gain(change, "iou").mean(axis=0)
        assert iou.argmin() == 2, f"{change}: the border loses most"
    for change in ("frozen-flip", "no-augmentation", "crop", "no-dice"):
        assert gain(change).max() < -0.01, change
    assert gain("wide").min() > 0.03
    assert gain("no-dropout").min() > 0
    assert np.abs(gain("fresh-flip")).max() < 0.003
    for change in ("up-sampling", "kernel-3"):
        assert gain(change).min() < 0 < gain(change).max(), change
    lost = -gain("no-dice", "iou").mean(axis=0)
    assert lost[2] > 0.8 * lost.sum(), "nearly all of it at the border"
    borders = [gain(name, "iou").mean(axis=0)[2] for name in ("weighted", "no-dice")]
    assert borders[0] > max(0, borders[1] + 0.05), (
        "weights in its place help about as much"
    )
    assert gain("wide", "iou").mean(axis=0).argmax() == 2
    narrow = score_runs(read_runs("small-narrow"), split="validation")["iou"][:, 2]
    assert (narrow < 0.005).tolist() == [True, False], "the first has no border"


@pytest.fixture(scope="module")
def cuts():
    """Mean IoU with all skips, without each one and without any, and the borders'."""
    nets = {net["name"]: net["test"]["class"] for net in read_cuts()[0]["nets"]}
    whole, *single, none = (score["mean_iou"] for score in nets.values())
    borders = [nets[name]["iou"]["border"] for name in ("none", "all")]
    return whole, single, none, borders


def test_what_cut_skips_cost_the_drawn_network(cuts):
    whole, single, none, borders = cuts
    assert read_card("drawn")["recipe"]["epochs"] == 40
    sentences = [
        "720 drawn pets, forty times each",  # 800 without a tenth for validation
        f"costs {whole - none:.3f} of mean IoU, and {borders[0] - borders[1]:.3f} at",
    ]
    assert missing("06_unet", sentences) == []
    assert read_cuts()[0]["config"]["epochs"] == 9
    assert missing("06_unet", ["the quick tier on drawn pets for nine epochs"]) == []
    sentence = f"cutting all skips costs {borders[0] - borders[1]:.2f} at the border"
    assert missing("05_decoder", [sentence]) == []


def test_no_single_cut_loses_on_every_drawn_pet():
    measured, stored = read_cuts()
    right = (stored["pred_masks"] == stored["masks"]).sum(axis=(2, 3))  # (nets, pets)
    won = dict(zip([net["name"] for net in measured["nets"]], right, strict=True))
    won = {name: counts - won["none"] for name, counts in won.items()}
    assert [name for name, pixels in won.items() if (pixels < 0).all()] == ["all"]
    assert [name for name, pixels in won.items() if (pixels > 0).all()] == ["2"]
    sentences = [
        "No single cut loses on all three pets.",
        "that of skip 2 even wins more than it loses on all three",
    ]
    assert missing("06_unet", sentences) == []


def test_only_cutting_all_skips_costs_more_than_another_seed(cuts):
    whole, single, none, _ = cuts
    assert missing("06_unet", ["Cutting a single skip hardly moves the score"]) == []
    seeds = read_measured("quick_drawn")["mean_iou"]
    assert single[0] > whole
    assert single[1] > whole
    assert all(seeds["lowest"] <= score <= seeds["highest"] for score in single[:3])
    assert 0 < seeds["lowest"] - single[3] < seeds["highest"] - seeds["lowest"]
    assert 4.5 < (whole - none) / (seeds["highest"] - seeds["lowest"]) < 5.5
    sentences = [
        "Two of the cut networks even score a little *higher* than the whole one",
        "the score falls just below the range, a hint at most",
        f"Without all four it falls by {whole - none:.3f}, five times the range",
    ]
    assert missing(WORTH, sentences) == []


def test_what_chapter_9_says_of_the_pretrained_network():
    names = ("article-16", "course", "course-long", "large", "tiny")
    others = [run["history"]["val_mean_iou"] for n in names for run in read_runs(n)]
    fresh = [run["history"]["val_mean_iou"] for n in names[:3] for run in read_runs(n)]
    (run,) = read_runs("pretrained")[:1]
    curve = run["history"]["val_mean_iou"]
    assert curve[0] > max(values[0] for values in fresh)
    assert curve[-1] > max(map(max, others))
    right = read_pictures("pretrained").confidence[17]
    sentences = [
        f"After {len(curve)} epochs it stands at {curve[-1]:.3f}",
        f"the best of the three, is right in {right[1] / right.sum():.0%}".replace(
            "%", " %"
        ),
    ]
    assert missing(WORTH, sentences) == []


@pytest.fixture(scope="module")
def label_curves():
    """The mean scores over seeds of both networks, by the number of photographs."""
    return {
        name: {
            n: score_runs(read_runs(f"{name}-{n}"))["mean_iou"].mean() for n in LABELS
        }
        for name in ("course", "pretrained")
    }


def test_what_pretraining_gains_with_few_and_with_all_photographs(label_curves):
    scratch, pretrained = label_curves.values()
    gains = [pretrained[n] - scratch[n] for n in scratch]
    assert {round(gain, 2) for gain in gains} <= {0.03, 0.04, 0.05}
    assert min(gains) > 0.034
    for curve in (scratch, pretrained):
        assert list(curve.values()) == sorted(curve.values())
    sentence = "Pretraining gains 0.04 or 0.05, with 50 photographs and with 3,312."
    assert missing(ENCODER, [sentence]) == []


def test_two_seeds_of_the_curve_are_close_to_each_other():
    runs = [
        score_runs(read_runs(f"{name}-{n}"))["mean_iou"]
        for name in ("course", "pretrained")
        for n in LABELS
    ]
    assert [len(scores) for scores in runs] == 2 * [2, 2, 2, 2, 1, 1]
    widest = max(np.ptp(scores) for scores in runs)
    assert missing(ENCODER, [f"Two seeds differ by at most {widest:.3f}."]) == []


def test_how_many_masks_pretraining_saves(label_curves):
    scratch, pretrained = label_curves.values()
    assert pretrained[200] == pytest.approx(scratch[800], abs=0.005)
    assert pretrained[200] == pytest.approx(scratch[3312], abs=0.005)
    sentences = [
        f"200 photographs score what 800 score without, so you draw {800 - 200} masks",
        "Even all 3,312 score no more without it.",
    ]
    assert missing(ENCODER, sentences) == []


def test_an_epoch_of_the_pretrained_network_takes_about_twice_as_long():
    fastest = {
        name: min(
            min(run["history"]["seconds"])
            for n in LABELS
            for run in read_runs(f"{name}-{n}")
        )
        for name in ("course", "pretrained")
    }
    assert 1.7 < fastest["pretrained"] / fastest["course"] < 2.5
    sentence = "an epoch takes about twice as long on our processor"
    assert missing(ENCODER, [sentence]) == []


def test_every_point_of_the_curve_had_the_same_steps():
    for name in ("course", "pretrained"):
        for n in LABELS:
            settings = read_runs(f"{name}-{n}")[0]["settings"]
            steps = settings["epochs"] * settings["pictures_per_epoch"] // 16
            assert (steps, settings["batch_size"]) == (1656, 16)
            assert settings["image_size"] == 64
    sentences = [
        "Every training takes 1,656 steps of 16",
        f"With 50 photographs each one comes {1656 * 16 / 50:.0f} times, with 3,312 "
        "only eight times",
    ]
    assert missing(ENCODER, sentences) == []


def test_chapter_12_repeats_how_many_masks_one_needs():
    few, some, most = (
        score_runs(read_runs(f"pretrained-{n}"))["mean_iou"].mean()
        for n in (50, 200, 3312)
    )
    sentence = (
        f"with a pretrained encoder, 50 masks gave a mean IoU of {few:.2f}, 200 gave "
        f"{some:.2f} and 3,312 gave {most:.2f}"
    )
    assert missing(OWN, [sentence]) == []


def test_chapter_12_says_what_other_cats_cost_and_what_fine_tuning_brings():
    outside = read_measured("outside")
    networks, tuned = outside["networks"], outside["fine_tuned"]
    for scores in networks.values():
        assert scores["whole"]["iou"] < 0.67 * scores["home"] + 0.005
    lost = {name: s["home"] - s["whole"]["iou"] for name, s in networks.items()}
    assert min(lost, key=lost.get) == "pretrained"
    for name, scores in tuned.items():
        back = scores["whole"]["iou"] - networks[name]["whole"]["iou"]
        assert 0.45 < back / lost[name] < 0.65, name
    once, twice = (networks["pretrained"][way]["iou"] for way in ("whole", "both"))
    sentences = [
        f"an IoU of {networks['pretrained']['home']:.2f} on the test photographs",
        f"{outside['pictures']['test']} photographs of free-roaming cats",
        f"{outside['pictures']['train']:,} masks from the new place, for four epochs, "
        "brings about half of the loss back",
    ]
    assert outside["epochs"] == 4
    assert twice > once + 0.02, "looking twice helps a little"
    assert missing(OWN, sentences) == []
