"""The chapters' sentences about what was measured say what `measured/` says."""

import json

import numpy as np
import pytest

from tests.paths import BOOK, ROOT
from unetbook.metrics import BORDER_POLICIES, iou_per_class, mean_iou, score_border
from unetbook.pretrained import read_card
from unetbook.results import (
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


def prose(chapter):
    """Return the text of a chapter's Markdown cells, on one line."""
    cells = json.loads((BOOK / f"{chapter}.ipynb").read_text())["cells"]
    texts = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
    return " ".join(" ".join(texts).split())


def missing(chapter, sentences):
    """Return those sentences that a chapter does not hold."""
    text = prose(chapter)
    return [sentence for sentence in sentences if sentence not in text]


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
    parameters = read_card("large")["parameters"]
    assert 14.5 < 34_513_475 / parameters < 15.5
    means = {border: scores["mean_iou"] for border, scores in shipped.items()}
    sentences = [
        f"a mean IoU of {means['class']:.2f} with the border as a class, "
        f"{means['ignored']:.2f} without it and {means['merged']:.2f} with the border",
        f"as the last row scores, `large` has {shipped['merged']['iou'][0]:.2f}.",
        "with a fifteenth of the article's parameters",
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
        "The article's rate is constant, and its seeds end farther apart",
        "goes on rising, more and more slowly, and only its last eight epochs bring "
        "nothing more",
        f"throws it back from {before:.3f} to {longer[0]:.3f}, and it ends at "
        f"{longer[-1]:.3f}",
        f"On the validation pictures the mean scores no more: {averaged:.3f}",
    ]
    assert averaged <= longer[-1]
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
    assert 24 * np.mean(minutes["course"]) > 600
    sentences = [
        "On two processor cores each of ours took from a minute and a half to more "
        "than an hour",
        "A dozen ablations of `course`, with two seeds each, would take two cores more "
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
    sentence = "The gain is less than 0.01, but every one of our runs has it."
    assert missing(WORTH, [sentence]) == []


def test_what_the_sixth_level_of_the_full_tier_costs():
    course, long = (read_runs(name)[0]["parameters"] for name in TIER_RECIPES.values())
    assert 1 / 6.5 < long / course - 1 < 1 / 5.5
    assert missing("04_bottleneck", ["cost it a sixth more parameters"]) == []


def test_the_tiny_network_against_the_articles():
    tiny, article = read_runs("tiny"), read_runs("article-16")
    assert 18 < article[0]["parameters"] / tiny[0]["parameters"] < 19
    worst, best = (
        score_runs(tiny)["mean_iou"].min(),
        score_runs(article)["mean_iou"].max(),
    )
    assert worst > best + 0.02
    sentence = (
        "`tiny` has an eighteenth of the parameters of `article-16` and scores more, "
        f"after {tiny[0]['settings']['epochs']} epochs instead of ten"
    )
    assert missing(WORTH, [sentence]) == []


def test_how_well_two_annotations_agree(shipped):
    faults = read_measured("faults")
    matrix = faults["between_annotations"]["matrix"]
    three, merged = score_border(matrix), score_border(matrix, "merged")
    assert len(faults["doubles"]) == 22
    gap = three["mean_iou"] - shipped["class"]["mean_iou"]
    within = len(faults["doubles_within"]["train"])
    sentences = [
        "By how much? 22 photographs stand in train *and* in test",
        f"They agree to a mean IoU of {three['mean_iou']:.2f}. At the border they "
        f"agree to {three['iou'][2]:.2f} only",
        f"Is {three['mean_iou']:.2f} a ceiling? No",
        f"The two annotations reach {merged['iou'][0]:.3f} for pet and border together",
        f"`large` stands {gap:.2f} below the {three['mean_iou']:.2f}",
        f"Train holds {within} more doubles",
        f"agree to {three['mean_iou']:.2f}: a yardstick, not a ceiling",
    ]
    assert missing(WORTH, sentences) == []
    assert missing("01_dataset", ["has 22 cases"]) == []


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
    sentence = (
        f"unfair to miniature pinschers, look at how they are photographed. On average "
        f"{100 * shares['miniature_pinscher']:.0f} % of their pictures is pet, of the "
        f"samoyeds' {100 * shares['samoyed']:.0f} %"
    )
    assert missing(WORTH, [sentence]) == []


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
    called = pictures.matrices[of_worst].sum(axis=1)[:, 0] / 128**2
    sentences = [
        f"{NUMBERS[of_worst.sum()].capitalize()} of the eight hold no pet at all",
        f"calls between {100 * called.min():.0f} and {100 * called.max():.0f} % of",
        f"empty trimap, {len(empty['train'])} in train and {faulty.sum()} in test",
        f"The empty trimaps cost {score(~faulty) - everything:.4f} of the mean IoU, "
        f"and the doubles give {everything - score(~doubled):.4f}.",
    ]
    assert missing(WORTH, sentences) == []


def test_most_errors_of_photographs_lie_within_four_pixels_of_the_border(pictures):
    near = pictures.ring_errors[:3].sum() / pictures.ring_errors.sum()
    assert near > 0.6
    assert missing(WORTH, ["Most errors lie in the border or within four"]) == []


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
    drawn = read_card("large")["scores"]["drawn"]
    own = read_card("drawn")["scores"]["class"]["mean_iou"]
    sentence = (
        f"Over the first {drawn['pictures']} of them its mean IoU is "
        f"{drawn['mean_iou']:.2f}, where the one that learnt drawings has {own:.2f}"
    )
    assert missing("08_prediction", [sentence]) == []


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
    return compare_runs(read_runs(f"small-{change}"), read_runs("small"), key)


def both(values):
    """Write what two seeds lost or gained, without the sign: `0.05 and 0.11`."""
    return " and ".join(f"{abs(value):.2f}" for value in values)


def test_the_articles_recipe_and_ours_differ_in_ten_settings():
    (ours,), (theirs,) = (read_runs(name)[:1] for name in ("course", "article-16"))
    ours, theirs = ours["settings"], theirs["settings"]
    differing = {k for k in ours if ours[k] != theirs.get(k)} - {"about"}
    assert len(differing) == 10
    assert missing(WORTH, ["We changed ten of its settings"]) == []


def test_what_each_part_is_worth():
    first, second = score_runs(read_runs("small"), split="validation")["mean_iou"]
    sentences = [
        f"the plain network alone scores {first:.3f} with one and {second:.3f} with",
        f"Without normalisation the network loses "
        f"{both(gain('no-batch-normalization'))}, though",
        f"Half the widths lose {both(gain('narrow'))}; with the first seed",
        f"Twice the widths gain {gain('wide').mean():.2f}",
        f"Cut skips cost {-gain('no-skips').mean():.2f}.",
        f"frozen by the cache, costs {-gain('frozen-flip').mean():.3f}. No "
        f"augmentation at all costs hardly more: {-gain('no-augmentation').mean():.3f}",
        f"Cross-entropy alone loses {both(gain('no-dice'))}, nearly all",
        f"Crops cost {-gain('crop').mean():.2f};",
        f"without* dropout the network gains {both(gain('no-dropout'))}.",
        f"All skips together were worth {-gain('no-skips').mean():.2f} above.",
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
        f"takes {more} million multiply-adds per picture instead of {work}",
    ]
    assert missing(WORTH, sentences) == []


def test_which_parts_both_seeds_agree_on():
    for change in ("no-skips", "no-batch-normalization", "narrow"):
        assert gain(change).max() < -0.04, change
        iou = gain(change, "iou").mean(axis=0)
        assert iou.argmin() == 2, f"{change}: the border loses most"
    for change in ("frozen-flip", "no-augmentation", "crop", "no-dice"):
        assert gain(change).max() < -0.01, change
    assert gain("wide").min() > 0.03
    assert gain("no-dropout").min() > 0
    assert np.abs(gain("fresh-flip")).max() < 0.003
    assert gain("up-sampling").min() < 0 < gain("up-sampling").max()
    lost = -gain("no-dice", "iou").mean(axis=0)
    assert lost[2] > 0.8 * lost.sum(), "nearly all of it at the border"
    assert gain("weighted", "iou").mean(axis=0)[2] > 0
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
        "Two of the single cuts even score a little *higher* than the whole network",
        f"falls out of the range by {seeds['lowest'] - single[3]:.3f}, a hint at",
        f"Cutting all four costs {whole - none:.3f}, five times the range of the seeds",
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
    merged = score_runs([run], "merged")["iou"][0, 0]
    sentences = [
        f"After {len(curve)} epochs it stands at {curve[-1]:.3f}",
        f"the best of the three, is right in {right[1] / right.sum():.0%}".replace(
            "%", " %"
        ),
        f"as many photographs as that network, and reaches {merged:.2f}",
    ]
    assert missing(WORTH, sentences) == []
