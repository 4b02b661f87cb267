"""Print what was measured, and what is missing."""

from experiments.recipes import PHOTOGRAPHS, planned_seeds
from unetbook.results import format_spread, read_measured, read_runs, score_runs, spread

HEADINGS = (
    "recipe",
    "n",
    "mean IoU",
    "pet",
    "background",
    "border",
    "accuracy",
    "merged",
    "val. mean IoU",
    "flips",
    "loss",
    "parameters",
    "multiply-adds",
    "minutes",
)


def describe_agreement():
    """Return one line: how well two annotations of one photograph agree."""
    faults = read_measured("faults")
    scores = score_runs([faults], split="between_annotations")
    merged = score_runs([faults], "merged", "between_annotations")["iou"][0, 0]
    return (
        f"Two annotations of one photograph ({len(faults['doubles'])} stand in train "
        f"and test): mean IoU {scores['mean_iou'][0]:.3f}, accuracy "
        f"{scores['pixel_accuracy'][0]:.3f}, pet with its border {merged:.3f}."
    )


def describe_hours(runs):
    """Return one line: the hours of training on each kind of device."""
    hours = {}
    for run in runs:
        device = f"{run['where']['device']} ({run['where']['cores']} cores)"
        hours[device] = hours.get(device, 0) + run["seconds"]["training"] / 3600
    spent = [f"{hour:.1f} on {device}" for device, hour in hours.items()]
    return f"Hours of training: {', '.join(spent) or 'none'}."


def describe_recipe(name, runs):
    """Return one row of the table."""
    test = score_runs(runs)
    losses = [run["test"]["cross_entropy"] for run in runs]
    minutes = spread([run["seconds"]["training"] / 60 for run in runs])[0]
    return (
        name,
        f"{len(runs)}/{planned_seeds(name)}",
        format_spread(test["mean_iou"]),
        *(f"{value:.3f}" for value in test["iou"].mean(axis=0)),
        format_spread(test["pixel_accuracy"]),
        format_spread(score_runs(runs, "merged")["iou"][:, 0]),
        format_spread(score_runs(runs, split="validation")["mean_iou"]),
        format_spread(score_runs(runs, split="test_with_flips")["mean_iou"]),
        format_spread(losses),
        f"{runs[0]['parameters']:,}",
        f"{runs[0]['multiply_adds'] / 1e6:,.0f} M",
        f"{minutes:.1f}",
    )


def print_table(folder=None):
    """Print one row a recipe, then what has not been measured yet."""
    found = {name: read_runs(name, folder) for name in PHOTOGRAPHS}
    rows = [describe_recipe(name, runs) for name, runs in found.items() if runs]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    for row in (HEADINGS, *rows):
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        print(row[0].ljust(widths[0]), *cells[1:], sep="  ")
    print("\nWhole test split, photographs shrunk to 128 x 128 without antialiasing.")
    print("merged: IoU of the pet with its border; ±: standard deviation over seeds.")
    print(describe_agreement())
    print(describe_hours([run for runs in found.values() for run in runs]))
    missing = [
        f"{name} ({planned_seeds(name) - len(runs)})"
        for name, runs in found.items()
        if len(runs) < planned_seeds(name)
    ]
    print("Seeds still to run:", ", ".join(missing) or "none")


def main(options):
    """Print the table of the runs in a folder, or of the book's own."""
    print_table(options.folder)


def summarise_run(measured):
    """Return one line about one run."""
    scores = score_runs([measured])
    merged = score_runs([measured], "merged")["iou"][0, 0]
    classes = " / ".join(f"{value:.3f}" for value in scores["iou"][0])
    return (
        f"{measured['recipe']}, seed {measured['seed']}: test mean IoU "
        f"{scores['mean_iou'][0]:.3f} ({classes}), accuracy "
        f"{scores['pixel_accuracy'][0]:.3f}, pet with its border {merged:.3f}"
    )
