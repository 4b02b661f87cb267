"""The sheet of a checked folder shows what the report says."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.test_folders import cache, write_folder  # noqa: F401
from unetbook.data import check_pictures
from unetbook.figures.report import choose_places, plot_report


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_the_sheet_shows_pairs_shares_sizes_and_findings(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "masks" / "p2.png").write_bytes(b"")
    report = check_pictures(tmp_path)
    axes = plot_report(report)
    assert len(axes) == 5 + 3
    *pairs, shares, sizes, text = axes
    assert sorted(ax.get_title() for ax in pairs) == [
        f"p{n}.jpg" for n in (0, 1, 3, 4, 5)
    ]
    widths = [bar.get_width() for bar in shares.patches]
    assert widths == pytest.approx(
        [100 * report.shares[n] for n in report.classes.names]
    )
    (points,) = sizes.collections
    assert points.get_offsets().tolist() == [[12, 10]] * 5
    assert text.texts[0].get_text().startswith("5 pairs; faults: 1; to look at: 0")
    assert "masks/p2.png" in report.faults[0]


def test_the_background_keeps_the_colours_of_the_picture(tmp_path):
    report = check_pictures(write_folder(tmp_path))
    ax = plot_report(report)[0]
    place = int(choose_places(report)[0])
    image, mask = report.read(place)
    shown = ax.images[0].get_array()
    np.testing.assert_array_equal(shown[0], image[0])
    inside = (mask[..., 0] == 2) & (shown != 255).any(-1)
    assert (shown[inside] != image[inside]).any()


def test_doubtful_pairs_are_shown_first(tmp_path):
    write_folder(tmp_path)
    report = check_pictures(tmp_path)
    last = report.pairs[-1].image.name
    report = report._replace(doubtful=[f"1 of 6 pictures has an empty mask: {last}"])
    assert choose_places(report)[0] == 5
    assert sorted(choose_places(report)) == list(range(6))


def test_a_folder_without_one_whole_pair_is_a_sheet_of_faults(tmp_path):
    write_folder(tmp_path)
    for path in (tmp_path / "masks").iterdir():
        path.write_bytes(b"")
    report = check_pictures(tmp_path)
    *_, text = plot_report(report)
    assert text.texts[0].get_text().startswith("0 pairs; faults: 6")


def test_a_long_name_keeps_both_its_ends(tmp_path):
    name = "one_long_name_of_a_picture_{}"
    write_folder(tmp_path, (0, 255), f"images/{name}.jpg", f"masks/{name}.png")
    titles = {ax.get_title() for ax in plot_report(check_pictures(tmp_path))[:6]}
    assert titles == {f"one_long_nam...cture_{number}.jpg" for number in range(6)}


def test_findings_stand_below_the_charts_and_end_on_the_sheet(tmp_path):
    report = check_pictures(write_folder(tmp_path))
    long = "images/a_picture.jpg has no mask: expected masks/a_picture.png. " * 4
    report = report._replace(faults=[long] * 6, doubtful=[long] * 6)
    *_, shares, sizes, text = plot_report(report)
    shares.figure.canvas.draw()
    written = text.texts[0].get_window_extent()
    for ax in (shares, sizes):
        assert written.y1 <= ax.get_tightbbox().y0
    assert written.y0 >= 0
