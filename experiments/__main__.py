"""Train recipes, and read what was measured.

python -m experiments list
python -m experiments run RECIPE [RECIPE ...] --seed N
python -m experiments table
python -m experiments ship NAME --seed N
python -m experiments faults
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from experiments.recipes import RECIPES, SHIPPED, planned_seeds, trial

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def make_parser():
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name the recipes")
    table = commands.add_parser("table", help="show every run's scores")
    run = commands.add_parser("run", help="train, score and write down")
    run.add_argument("recipes", nargs="+", choices=RECIPES, metavar="RECIPE")
    run.add_argument("--seed", type=int, action="append", help="0 if not given")
    run.add_argument("--precision", choices=PRECISIONS, default="float32")
    run.add_argument("--trial", action="store_true", help="a few drawn pets; seconds")
    ship = commands.add_parser("ship", help="put a run's weights into the package")
    ship.add_argument("name", choices=SHIPPED)
    ship.add_argument("--seed", type=int, default=0)
    ship.add_argument("--precision", choices=PRECISIONS, default="float32")
    commands.add_parser("faults", help="find faulty annotations and doubles")
    for command in (table, run):
        command.add_argument("--folder", type=Path, help="of the result files")
    return parser


def list_recipes(options):
    """Print every recipe with its seeds."""
    for name, recipe in RECIPES.items():
        print(f"{name:30} {planned_seeds(name)} seeds  {recipe.about}")


def run_recipes(options):
    """Train every recipe asked for with every seed asked for."""
    from experiments.report import summarise_run
    from experiments.run import load_pairs, measure
    from unetbook.results import MEASURED_DIR

    folder = options.folder or MEASURED_DIR
    if options.trial and options.folder is None:
        raise SystemExit("A trial is no measurement: give its files a --folder.")
    loaded = {}
    for name in options.recipes:
        recipe = trial(RECIPES[name]) if options.trial else RECIPES[name]
        key = (recipe.data, recipe.pictures, recipe.image_size)
        pairs = loaded[key] = loaded.get(key) or load_pairs(recipe)
        for seed in options.seed or [0]:
            print(f"{name}, seed {seed}: {recipe.about}", flush=True)
            measured = measure(
                recipe,
                name,
                seed,
                precision=options.precision,
                folder=folder,
                pairs=pairs,
            )
            print(summarise_run(measured), flush=True)


def ship_weights(options):
    """Write weights, card and pictures' counts of one finished run."""
    from experiments.ship import ship

    card = ship(options.name, options.seed, options.precision)
    print(f"weights/{options.name}.npz: {card['bytes']:,} bytes, {card['scores']}")


def show_table(options):
    """Print the table of all runs."""
    from experiments.report import print_table

    print_table(options.folder)


def find_faults(options):
    """Look through the photographs for faults."""
    from experiments.faults import write_faults

    write_faults()


COMMANDS = {
    "list": list_recipes,
    "run": run_recipes,
    "table": show_table,
    "ship": ship_weights,
    "faults": find_faults,
}


def main(arguments):
    """Do what the command line says."""
    options = make_parser().parse_args(arguments)
    COMMANDS[options.command](options)


if __name__ == "__main__":
    main(sys.argv[1:])
