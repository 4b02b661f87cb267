"""Train recipes, and read what was measured.

python -m experiments list
python -m experiments run RECIPE [RECIPE ...] --seed N
python -m experiments table
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from experiments.recipes import RECIPES, planned_seeds, trial

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
    for command in (table, run):
        command.add_argument("--folder", type=Path, help="of the result files")
    return parser


def list_recipes():
    """Print every recipe with its seeds."""
    for name, recipe in RECIPES.items():
        print(f"{name:30} {planned_seeds(name)} seeds  {recipe.about}")


def run_recipes(options):
    """Train every recipe asked for with every seed asked for."""
    from experiments.report import summarise_run
    from experiments.run import MEASURED, load_pairs, measure

    folder = options.folder or MEASURED
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


def main(arguments):
    """Do what the command line says."""
    options = make_parser().parse_args(arguments)
    if options.command == "list":
        list_recipes()
    elif options.command == "table":
        from experiments.report import print_table

        print_table(options.folder)
    else:
        run_recipes(options)


if __name__ == "__main__":
    main(sys.argv[1:])
