"""How a notebook shows a figure: drawings also as SVG, which is sharp at any size."""

LARGEST_DRAWING = 32  # pixels a side: an image of more is a picture, not a matrix


def is_drawing(figure):
    """Tell whether a figure holds lines, bars, letters and small matrices alone."""
    images = [image for ax in figure.axes for image in ax.get_images()]
    sizes = [max(image.get_array().shape[:2]) for image in images]
    return max(sizes, default=0) <= LARGEST_DRAWING


def draw_svg(figure):
    """Return a drawing as SVG text, equal every time, and None for other figures."""
    import matplotlib.pyplot as plt
    from IPython.core.pylabtools import print_figure

    if not is_drawing(figure):
        return None
    with plt.rc_context({"svg.hashsalt": "unetbook"}):
        return print_figure(figure, "svg", metadata={"Date": None})


def show_drawings_as_svg():
    """Let the running notebook show drawings as SVG; elsewhere nothing happens.

    The PNG picture stays beside it, for programs that show no SVG.
    """
    import matplotlib.pyplot as plt
    from IPython import get_ipython
    from matplotlib.figure import Figure

    shell = get_ipython()
    if shell is not None:
        plt.switch_backend(plt.get_backend())  # which clears the formatters of figures
        shell.display_formatter.formatters["image/svg+xml"].for_type(Figure, draw_svg)
