"""Plots take arrays, return axes, and name what is wrong with their input."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from unetbook.classes import PETS, Classes
from unetbook.config import CLASS_NAMES
from unetbook.figures import style
from unetbook.figures.charts import (
    plot_class_shares,
    plot_differences,
    plot_history,
    plot_label_curve,
    plot_reliability,
    plot_runs,
    plot_scores,
)
from unetbook.figures.matrices import plot_confusion_matrix, plot_matrix, plot_stamps
from unetbook.figures.pictures import (
    plot_cut_outs,
    plot_examples,
    plot_feature_maps,
    plot_mask,
    plot_overlay,
)
from unetbook.figures.style import CLASS_COLOURS, GROUND

IMAGE = np.full((4, 6, 3), 0.5, "float32")
MASK = np.array([[1] * 6, [1, 2, 2, 2, 1, 1], [1, 2, 0, 2, 1, 1], [1] * 6])


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend_names(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def relative_luminance(colour):
    channels = np.array(to_rgb(colour))
    linear = np.where(
        channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_class_colours_stay_apart_in_grey_print():
    light = sorted(relative_luminance(colour) for colour in CLASS_COLOURS)
    for darker, lighter in zip(light, light[1:], strict=False):
        assert (lighter + 0.05) / (darker + 0.05) > 2  # contrast as WCAG defines it


def test_pets_keep_their_colours_and_hatches():
    assert CLASS_COLOURS == ("#2f7fc1", "#343a4a", "#ffcb2e")
    assert style.class_hatches(PETS) == ("//", "", "..")
    assert [look.hatch for look in style.class_looks(PETS)] == ["", "", ""]


GREENS = Classes(
    names=("soil", "leaf", "stem", "weed"),
    colours=((60, 40, 20), (0, 120, 0), (0, 130, 0), (0, 0, 90)),
    background=0,
)
FIELD = np.repeat(np.repeat([[0, 1], [2, 3]], 3, axis=0), 3, axis=1)
FIELD_IMAGE = np.full((6, 6, 3), 0.5)


def hatches(ax):
    return [h for lines in ax.collections for h in lines.hatches if h]


def test_classes_of_one_lightness_are_hatched_each_in_its_own_way():
    ax = plot_mask(FIELD, classes=GREENS)
    patches = ax.figure.legends[0].get_patches()
    assert [patch.get_hatch() for patch in patches] == ["", "//", "..", "\\\\"]
    assert hatches(ax) == ["//", "..", "\\\\"]
    assert legend_names(ax.figure) == list(GREENS.names)
    assert to_rgb(patches[3].get_edgecolor()) == (1, 1, 1)  # on what is nearly black


def test_what_nobody_annotated_is_hatched_and_named_where_there_is_some():
    void = np.where(MASK == 0, -1, MASK)
    ax = plot_mask(void)
    assert legend_names(ax.figure) == [*CLASS_NAMES, "not annotated"]
    assert hatches(ax) == ["xxx"]
    image = ax.images[0]
    shown = image.cmap(image.norm(image.get_array()))[2, 2, :3]
    assert np.allclose(shown, to_rgb(style.VOID.colour))
    axes = plot_examples([IMAGE], [void], [MASK])
    assert legend_names(axes[0, 0].figure) == [*CLASS_NAMES, "not annotated"]
    assert not hatches(plot_mask(MASK))


def test_an_overlay_tints_void_and_every_class_but_the_background():
    field = FIELD.copy()
    field[0, 0] = -1
    ax = plot_overlay(FIELD_IMAGE, field, alpha=0.4, classes=GREENS)
    tint = ax.images[1].get_array()
    assert (tint[..., 3][field == 0] == 0).all()
    assert np.allclose(tint[..., 3][field != 0], 0.4)
    assert np.allclose(tint[0, 0, :3], to_rgb(style.VOID.colour))
    assert legend_names(ax.figure) == ["leaf", "stem", "weed", "not annotated"]


def test_an_overlay_of_classes_without_a_background_tints_all():
    ax = plot_overlay(FIELD_IMAGE, FIELD, classes=GREENS._replace(background=None))
    assert np.allclose(ax.images[1].get_array()[..., 3], 0.45)
    assert legend_names(ax.figure) == list(GREENS.names)


def test_a_legend_of_many_classes_names_those_that_occur():
    many = Classes(tuple("abcdefghij"), ((0, 0, 0),) * 10, None)
    assert legend_names(plot_mask([[9, 2], [2, 2]], classes=many).figure) == ["c", "j"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_masks_of_one_row_or_column_are_drawn(shape):
    mask = np.full(shape, -1)
    plot_mask(mask)
    plot_overlay(np.zeros((*shape, 3)), mask)


def test_two_classes_fill_every_plot_that_is_about_classes():
    two = Classes(("cell", "glass"), ((255, 255, 255), (0, 0, 0)), 1)
    ax = plot_class_shares([0.2, 0.8], two)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cell", "glass"]
    assert plot_mask([[0, 1], [1, 0]], classes=two).images[0].get_clim() == (0, 1)
    with pytest.raises(ValueError, match="expected 0 to 1, or -1 for not annotated"):
        plot_mask([[0, 2], [1, 0]], classes=two)


def test_a_confusion_matrix_of_many_classes_writes_shares_alone_and_no_zeros():
    names = [f"class {number}" for number in range(8)]
    ax = plot_confusion_matrix(np.eye(8) * 3, names)
    assert set(texts(ax)) == {"", "100"}
    assert ax.get_xticklabels()[0].get_rotation() == 90


def test_a_mask_is_drawn_with_nearest_in_the_class_colours():
    image = plot_mask(MASK).images[0]
    assert image.get_interpolation() == "nearest"
    assert image.get_clim() == (0, 2)
    assert np.allclose(image.cmap(image.norm(2))[:3], to_rgb(CLASS_COLOURS[2]))


def test_a_mask_of_one_class_keeps_its_colour():
    image = plot_mask(np.ones((2, 2), int)).images[0]
    assert np.allclose(image.cmap(image.norm(1))[:3], to_rgb(CLASS_COLOURS[1]))


def test_a_mask_on_its_own_has_a_legend_and_on_given_axes_has_none():
    assert legend_names(plot_mask(MASK).figure) == list(CLASS_NAMES)
    figure, ax = plt.subplots()
    assert plot_mask(MASK, ax, "truth") is ax
    assert ax.get_title() == "truth"
    assert not figure.legends


def test_examples_stand_in_columns_with_a_row_for_each_kind():
    axes = plot_examples([IMAGE] * 3, [MASK] * 3, [MASK] * 3, titles=["a", "b", "c"])
    assert axes.shape == (3, 3)
    assert [ax.get_title() for ax in axes[0]] == ["a", "b", "c"]
    assert [texts(ax) for ax in axes[:, 0]] == [["picture"], ["truth"], ["prediction"]]
    assert legend_names(axes[0, 0].figure) == list(CLASS_NAMES)


def test_more_than_four_examples_go_into_further_rows():
    axes = plot_examples([IMAGE] * 6, [MASK] * 6, titles=list("abcdef"))
    assert axes.shape == (4, 4)
    assert axes[2, 1].get_title() == "f"
    assert len(axes[3, 1].images) == 1
    assert len(axes[3, 2].images) == 0


def test_a_uint8_picture_is_scaled_to_0_to_1():
    picture = np.full((4, 6, 3), 51, "uint8")
    axes = plot_examples([picture], [MASK])
    assert np.allclose(axes[0, 0].images[0].get_array(), 51 / 255)


def test_an_overlay_leaves_the_background_untouched_and_outlines_the_rest():
    ax = plot_overlay(IMAGE, MASK, alpha=0.4)
    tint = ax.images[1].get_array()
    assert (tint[..., 3][MASK == 1] == 0).all()
    assert np.allclose(tint[..., 3][MASK != 1], 0.4)
    assert len(ax.collections) == 4  # two outlines, each white on black
    assert legend_names(ax.figure) == ["pet", "border"]


def test_an_overlay_of_background_alone_has_no_outline():
    assert not plot_overlay(IMAGE, np.ones((4, 6), int)).collections


def test_large_pictures_and_masks_are_drawn_at_1024_pixels():
    image = np.zeros((1000, 2048, 3), "uint8")
    image[:, ::2] = 255  # every second column is white
    mask = np.ones((1000, 2048), int)
    mask[:, 1024:] = 0
    ax = plot_overlay(image, mask)
    picture, tint = (drawn.get_array() for drawn in ax.images)
    assert picture.shape == (500, 1024, 3)
    assert np.allclose(picture[1:-1, 1:-1], 0.5, atol=0.01)  # antialiased
    assert (tint[:, :512, 3] == 0).all()
    assert (tint[:, 512:, 3] > 0).all()
    assert plot_mask(mask).images[0].get_array().shape == (500, 1024)
    axes = plot_examples([image], [mask], [mask])
    assert {ax.images[0].get_array().shape[:2] for ax in axes.flat} == {(500, 1024)}


def test_masks_of_another_size_are_refused_before_they_are_shrunk():
    with pytest.raises(ValueError, match=r"\(1, 2047\), expected \(1, 2048\)"):
        plot_examples([np.zeros((1, 2048, 3))], [np.zeros((1, 2047), int)])
    with pytest.raises(ValueError, match=r"\(1, 2049\), expected \(1, 2048\)"):
        plot_overlay(np.zeros((1, 2048, 3)), np.ones((1, 2049), int))


def test_history_draws_training_and_validation_of_each_quantity():
    history = {"loss": [2, 1], "val_loss": [3, 2], "mean_iou": [0.1, 0.2]}
    axes = plot_history(history)
    assert [ax.get_title() for ax in axes] == ["Loss", "Mean IoU"]
    assert [line.get_label() for line in axes[0].lines] == ["training", "validation"]
    assert list(axes[0].lines[1].get_ydata()) == [3, 2]
    assert list(axes[1].lines[0].get_xdata()) == [1, 2]


def test_confusion_matrix_shows_shares_of_the_row_and_counts():
    ax = plot_confusion_matrix([[1, 3, 0], [0, 1500, 0], [0, 0, 0]])
    assert texts(ax)[:2] == ["25.0%\n1", "75.0%\n3"]
    assert texts(ax)[4] == "100.0%\n1,500"
    assert texts(ax)[8] == "0.0%\n0"  # a class that does not occur


@pytest.mark.parametrize("share", [0, 0.6, 0.7, 0.71, 0.72, 0.82, 1])
def test_numbers_of_a_confusion_matrix_can_be_read_on_their_shade(share):
    ax = plot_confusion_matrix([[share, 1 - share], [0, 1]], ("pet", "background"))
    image = ax.images[0]
    shade = image.cmap(image.norm(share))[:3]
    lights = relative_luminance(shade), relative_luminance(ax.texts[0].get_color())
    assert (max(lights) + 0.05) / (min(lights) + 0.05) > 4.5  # as WCAG asks of text


def test_confusion_matrix_takes_two_classes():
    names = ("pet", "background")
    assert len(plot_confusion_matrix([[1, 0], [0, 1]], class_names=names).texts) == 4


def test_class_shares_are_written_beside_hatched_bars():
    ax = plot_class_shares([0.3, 0.58, 0.12])
    assert texts(ax) == ["30.0%", "58.0%", "12.0%"]
    assert [bar.get_hatch() for bar in ax.patches] == ["//", "", ".."]


def test_scores_of_two_series_stand_side_by_side_and_say_where_there_is_no_score():
    ax = plot_scores({"with": [0.8, 0.9, 0.5], "without": [0.6, 0.7, np.nan]})
    assert texts(ax) == ["0.80", "0.90", "0.50", "0.60", "0.70", "no score"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["with", "without"]
    assert len({bar.get_hatch() for bar in ax.patches}) == 2


def test_one_series_of_scores_needs_no_legend():
    assert plot_scores([0.8, 0.9, 0.5]).get_legend() is None


def test_matrix_prints_every_number_and_fades_zeros():
    ax = plot_matrix([[0, -0.0, 2], [0.25, -1, 1.5]])
    assert texts(ax) == ["0", "0", "2", "0.25", "-1", "1.50"]
    assert ax.texts[0].get_color() != "black"
    assert ax.texts[2].get_color() == "black"


def test_matrices_that_share_a_scale_give_one_number_one_shade():
    first, second = (plot_matrix(m, highest=4).images[0] for m in ([[1]], [[1, 4]]))
    assert first.to_rgba([1]).tolist() == second.to_rgba([1]).tolist()


def test_each_input_pixel_and_its_stamp_have_one_colour():
    axes = plot_stamps([[1, 2], [3, 4]], [[1, 1], [1, 1]], strides=2)
    assert texts(axes["input"]) == ["1", "2", "3", "4"]
    assert texts(axes["kernel"]) == ["1", "1", "1", "1"]
    assert texts(axes["sum"]) == list("1122112233443344")
    assert texts(axes["stamp 1"]) == list("0022002200000000")
    last = axes["stamp 3"].patches[0]
    assert (last.get_xy(), last.get_width()) == ((1.5, 1.5), 2)
    pixels = [patch.get_facecolor() for patch in axes["input"].patches]
    stamps = [axes[f"stamp {n}"].patches[0].get_facecolor() for n in range(4)]
    assert pixels == stamps
    assert len(set(pixels)) == 4


def test_feature_maps_are_drawn_channel_by_channel():
    maps = np.arange(4 * 4 * 6).reshape(4, 4, 6)
    axes = plot_feature_maps(maps)
    assert axes.shape == (2, 4)
    assert np.array_equal(axes[1, 1].images[0].get_array(), maps[..., 5])
    assert axes[1, 1].get_title() == "channel 5"
    assert not axes[1, 2].images


def test_text_is_nine_points_at_least():
    figures = [
        plot_examples([IMAGE], [MASK])[0, 0].figure,
        plot_history({"loss": [1, 2]})[0].figure,
        plot_matrix(np.eye(20)).figure,
        plot_scores([0.8, 0.9, 0.5]).figure,
    ]
    for figure in figures:
        figure.canvas.draw()
        sizes = [t.get_fontsize() for t in figure.findobj(plt.Text) if t.get_text()]
        assert min(sizes) >= 9


def test_no_figure_is_wider_than_the_text_column():
    axes = plot_examples([IMAGE] * 8, [MASK] * 8)
    assert axes[0, 0].figure.get_figwidth() <= style.WIDTH


def test_plots_show_and_save_nothing(monkeypatch):
    for name in ("show", "savefig"):
        monkeypatch.setattr(plt, name, lambda *args, **options: pytest.fail("drawn"))
    plot_mask(MASK)
    plot_history({"loss": [1]})


def test_plots_leave_the_readers_settings_alone():
    before = dict(plt.rcParams)
    plot_matrix([[1]])
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        (lambda: plot_mask(MASK + 1), "subtract 1"),
        (lambda: plot_mask(MASK + 0.5), "expected 0 to 2, or -1"),
        (lambda: plot_mask(np.zeros((4, 6, 3))), r"\(4, 6, 3\).*argmax"),
        (lambda: plot_overlay(IMAGE * 255, MASK), "127.5.*Divide by 255"),
        (lambda: plot_overlay(IMAGE * np.nan, MASK), "nan"),
        (lambda: plot_overlay(IMAGE[None], MASK), "without a batch axis"),
        (lambda: plot_overlay(IMAGE, MASK.T), r"\(6, 4\), expected \(4, 6\)"),
        (lambda: plot_examples([IMAGE], [MASK] * 2), "2 entries for 1 images"),
        (lambda: plot_examples([], []), "images is empty"),
        (lambda: plot_examples([IMAGE], [MASK + 1]), r"masks\[0\].*subtract 1"),
        (lambda: plot_history({"val_loss": [1]}), "expected loss"),
        (lambda: plot_history({"loss": [1], "val_loss": [1, 2]}), "2 entries"),
        (lambda: plot_confusion_matrix([[1, 2], [3, 4]]), r"\(3, 3\)"),
        (lambda: plot_confusion_matrix(-np.eye(3)), "lowest value -1"),
        (lambda: plot_class_shares([0.5, 0.5]), "expected 3 numbers"),
        (lambda: plot_class_shares([30, 58, 12]), r"\[0, 1\]"),
        (lambda: plot_scores({"ours": [1.2, 0, 0]}), r"ours is \[1.2"),
        (lambda: plot_matrix(np.ones(3)), r"\(rows, columns\)"),
        (lambda: plot_matrix(np.ones((25, 2))), "1 to 24"),
        (lambda: plot_stamps(np.ones((3, 3)), [[1]]), r"\(3, 3\), expected \(2, 2\)"),
        (lambda: plot_feature_maps(np.ones((2, 4, 4, 8))), "one picture of the batch"),
        (lambda: plot_feature_maps(np.ones((4, 4, 2)), ["a"]), "1 entries for 2"),
    ],
)
def test_bad_input_is_named_with_its_remedy(plot, message):
    with pytest.raises(ValueError, match=message):
        plot()


def test_runs_give_a_mean_line_and_a_band_from_least_to_most():
    ax = plot_runs({"a": [[0.2, 0.4], [0.4, 0.8]], "b": [[0.1, 0.2, 0.3]]})
    first, second = ax.get_lines()
    np.testing.assert_allclose(first.get_ydata(), [0.3, 0.6])
    np.testing.assert_array_equal(second.get_xdata(), [1, 2, 3])
    assert first.get_linestyle() != second.get_linestyle()
    band = ax.collections[0].get_paths()[0].vertices
    assert band[band[:, 0] == 2][:, 1].min() == pytest.approx(0.4)
    assert band[band[:, 0] == 2][:, 1].max() == pytest.approx(0.8)


def test_runs_of_different_lengths_under_one_label_are_refused():
    with pytest.raises(ValueError, match=r"'a'.*\[1, 2\] epochs"):
        plot_runs({"a": [[0.2], [0.2, 0.3]]})
    with pytest.raises(ValueError, match="at least one"):
        plot_runs({"a": []})


def test_label_curve_draws_the_mean_over_runs_and_a_dot_for_each():
    ax = plot_label_curve({"a": {50: [0.2, 0.4], 100: [0.6]}})
    mean, *dots = ax.get_lines()
    np.testing.assert_array_equal(mean.get_xdata(), [50, 100])
    np.testing.assert_allclose(mean.get_ydata(), [0.3, 0.6])
    assert [len(line.get_ydata()) for line in dots] == [2, 1]
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["50", "100"]


def test_differences_give_a_bar_for_the_mean_an_interval_and_a_dot_a_run():
    ax = plot_differences({"no skips": [-0.2, -0.05, -0.2], "dice": [0.01]})
    assert [patch.get_width() for patch in ax.patches] == [
        pytest.approx(-0.15),
        pytest.approx(0.01),
    ]
    dots = [line for line in ax.get_lines() if line.get_marker() == "o"]
    np.testing.assert_array_equal(dots[0].get_xdata(), [-0.2, -0.05, -0.2])
    intervals = [line for line in ax.get_lines() if line.get_marker() != "o"]
    np.testing.assert_array_equal(intervals[0].get_xdata(), [-0.2, -0.05])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["no skips", "dice"]
    assert ax.yaxis_inverted()


def test_reliability_is_the_share_that_is_right_above_the_middle_of_its_bin():
    counts = [[0, 0], [0, 0], [1, 1], [1, 3]]
    ax = plot_reliability({"tiny": counts, "large": np.multiply(counts, 2)})
    tiny, large = ax.get_lines()
    np.testing.assert_allclose(tiny.get_xdata(), [0.625, 0.875])  # where pixels are
    np.testing.assert_allclose(tiny.get_ydata(), [0.5, 0.75])
    np.testing.assert_allclose(large.get_ydata(), tiny.get_ydata())
    assert tiny.get_marker() != large.get_marker()
    boxes = [(box.get_y(), box.get_height()) for box in ax.patches]
    assert boxes == [(0.5, 0.25), (0.75, 0.25)]
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sorted(named) == ["calibrated", "large", "tiny"]
    assert not plot_reliability({"tiny": np.zeros((4, 2))}).patches
    with pytest.raises(ValueError, match=r"counts\['tiny'\] has shape \(4,\)"):
        plot_reliability({"tiny": [1, 2, 3, 4]})


def test_a_cut_out_lies_below_its_picture_on_a_ground_that_shows():
    picture = np.zeros((20, 40, 3), "uint8")
    cut_out = np.zeros((20, 40, 4), "uint8")
    axes = plot_cut_outs([picture, picture], [cut_out, cut_out], ["a", "b"])
    assert [ax.get_title() for ax in axes[0]] == ["a", "b"]
    assert axes[1, 1].images[0].get_array().shape == (20, 40, 4)
    assert to_hex(axes[1, 1].get_facecolor()) == GROUND
