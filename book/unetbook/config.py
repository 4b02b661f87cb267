"""Where a run happens and how large it is; the only reader of the environment."""

import contextlib
import difflib
import logging
import os
import platform
import sys
import tempfile
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import platformdirs
from packaging.requirements import Requirement

import unetbook
from unetbook.classes import PETS
from unetbook.inline import show_drawings_as_svg
from unetbook.machine import find_obstacle
from unetbook.remedies import look_up

CLASS_NAMES = PETS.names

CHECKED_PACKAGES = ("tensorflow", "keras", "numpy", "tensorflow-datasets")


@dataclass(frozen=True)
class Config:
    """The settings of one run; chapters read them, nothing changes them.

    Attributes:
        tier: `"quick"`, `"standard"` or `"full"`.
        data: What `load_pets` takes, `"drawn"` or `"oxford"`; or a folder.
        image_size: Side of the square pictures in pixels.
        batch_size: Pictures in one training step.
        epochs: Passes over the training pictures.
        filters: Widths of the U-Net's levels, the bottleneck last.
        learning_rate: The highest rate, reached after the warm-up.
        augmentation: What `make_dataset` draws for the training pictures.
        dropout_rate: Dropout at the bottleneck, in [0, 1).
        loss: A name in `unetbook.training.LOSSES`.
        seed: Seed of the weights, the validation cut, the order and the draws.
        mixed_precision: Compute in 16 bits where the device gains from it.
    """

    tier: str
    data: str = "drawn"
    image_size: int = 128
    batch_size: int = 16
    epochs: int = 9
    filters: tuple[int, ...] = (8, 16, 32, 64, 128)
    learning_rate: float = 3e-3
    augmentation: tuple[str, ...] = ("flip",)
    dropout_rate: float = 0.3
    loss: str = "cross-entropy"
    seed: int = 0
    mixed_precision: bool = False


# `standard` and `full` are also the recipes `course` and `course-long` of
# `experiments/`, whose scores on the photographs lie in `measured/`.
STANDARD = Config(
    "standard",
    epochs=10,
    filters=(16, 32, 64, 128, 256),
    augmentation=("flip", "colour"),
    dropout_rate=0.1,
    loss="cross-entropy + Dice",
    mixed_precision=True,
)
FULL = replace(
    STANDARD,
    tier="full",
    epochs=40,
    filters=(16, 32, 64, 96, 144, 192),
    augmentation=("flip", "crop", "colour", "sharpness"),
    dropout_rate=0.3,
)
TIERS = {tier.tier: tier for tier in (Config("quick"), STANDARD, FULL)}


def on_colab():
    """Tell whether this is Google Colab; Kaggle's image is built on Colab's."""
    if "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
        return False
    return "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ


def load_config():
    """Read the tier and the data set from the environment.

    `UNETBOOK_TIER` is `quick`, `standard` or `full`; `UNETBOOK_DATA` is `drawn`,
    `oxford` or a folder. Unset, they are `standard` and `oxford` on a Colab GPU,
    `quick` and `oxford` on a Colab CPU, `quick` and `drawn` everywhere else.

    Returns:
        A `Config`.

    Raises:
        ValueError: If `UNETBOOK_TIER` names no tier.
    """
    has_gpu = device_name() != "CPU"
    default_tier = "standard" if on_colab() and has_gpu else "quick"
    tier = os.environ.get("UNETBOOK_TIER") or default_tier
    if tier not in TIERS:
        raise ValueError(
            f"UNETBOOK_TIER={tier!r} names no tier. Set it to one of "
            f"{', '.join(TIERS)}, or unset it for {default_tier!r}."
        )
    data = os.environ.get("UNETBOOK_DATA") or ("oxford" if on_colab() else "drawn")
    config = TIERS[tier]
    return replace(
        config, data=data, mixed_precision=config.mixed_precision and has_gpu
    )


def cache_dir():
    """Return the folder for drawn pets and other things that can be made again."""
    folder = os.environ.get("UNETBOOK_CACHE") or platformdirs.user_cache_dir("unetbook")
    return Path(folder).expanduser().absolute()


def runs_dir():
    """Return the folder for checkpoints and logs of trainings."""
    folder = os.environ.get("UNETBOOK_RUNS") or cache_dir() / "runs"
    return Path(folder).expanduser().absolute()


def photos_dir():
    """Return the folder in which TFDS keeps its data sets."""
    folder = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return Path(folder).expanduser().absolute()


def find_folder(folder, name="folder"):
    """Return a folder as an absolute path; `~` is the reader's home.

    A relative path is looked for from the working folder and, as a notebook works in
    its own, from the folder in which the reader started.

    Args:
        folder: A path.
        name: What the error message calls it.

    Raises:
        ValueError: If there is no such folder.
    """
    if not isinstance(folder, str | os.PathLike) or not os.fspath(folder):
        raise ValueError(
            f"{name}={folder!r}: give the path of a folder with pictures and masks."
        )
    path = Path(folder).expanduser()
    started = os.environ.get("PWD") or os.getcwd()
    places = dict.fromkeys((Path.cwd() / path, Path(started) / path))
    for place in places:
        with contextlib.suppress(OSError, ValueError):  # too long, or no path at all
            if place.is_dir():
                return place.absolute()
    looked = " and ".join(map(ascii, map(str, places)))
    raise ValueError(
        f"{name}={str(folder)!r}: there is no such folder. Looked for {looked}."
        f"{guess_folder(places)} Give the path of a folder that holds images/ and "
        "masks/, or of an annotation tool's export."
    )


def guess_folder(places):
    """Return ` Did you mean leaves?` if a folder beside a place has a like name."""
    for place in places:
        with contextlib.suppress(OSError, ValueError):
            names = [path.name for path in place.parent.iterdir() if path.is_dir()]
            for name in difflib.get_close_matches(place.name, names, 1):
                return f" Did you mean {ascii(name)[1:-1]}?"
    return ""


def find_gpus():
    """Return TensorFlow's GPUs, and let each take its memory only as it needs it.

    Otherwise the first notebook takes all of it, and a second one finds none.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # TensorFlow has begun to use it; then it stays as it is
            break
    return gpus


def device_name():
    """Return the name of the first GPU, or `"CPU"`."""
    import tensorflow as tf

    gpus = find_gpus()
    if not gpus:
        return "CPU"
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")


def use_xla():
    """Tell whether Keras may compile with XLA, from `UNETBOOK_XLA`: `on` or `off`.

    Raises:
        ValueError: If it is neither.
    """
    chosen = os.environ.get("UNETBOOK_XLA") or "on"
    if chosen not in ("on", "off"):
        raise ValueError(
            f"UNETBOOK_XLA={chosen!r}: set it to off, or unset it: Keras decides."
        )
    return chosen == "on"


def leave_xla_off():
    """Make `jit_compile` False for every Keras model, whatever it is compiled with.

    Left alone, Keras takes XLA for training and for prediction wherever there is a GPU,
    and cards newer than the installed XLA die in it (tensorflow#111958).
    """
    import keras

    keras.Model.jit_compile = property(lambda self: False, lambda self, value: None)


def check_machine():
    """Raise an `ImportError` where TensorFlow cannot be loaded, before it is tried."""
    obstacle = find_obstacle()
    if obstacle is not None:
        raise ImportError(obstacle)
    with contextlib.suppress(PackageNotFoundError):
        raise ImportError(
            f"tensorflow-metal {version('tensorflow-metal')} is installed, and this "
            "TensorFlow fails with it. Run: pip uninstall tensorflow-metal, then "
            "restart the kernel. TensorFlow then computes on the processor; for a GPU, "
            "open the chapter on Colab or Kaggle."
        )


def check_versions():
    """Raise an `ImportError` if an installed package is outside the book's bounds."""
    try:
        requirements = map(Requirement, requires("unetbook"))
    except PackageNotFoundError:  # imported from its folder: nothing tells the bounds
        return
    bounds = {requirement.name: requirement.specifier for requirement in requirements}
    for package in CHECKED_PACKAGES:
        installed = version(package)
        if not bounds[package].contains(installed, prereleases=True):
            wanted = package + ",".join(sorted(map(str, bounds[package]), reverse=True))
            raise ImportError(
                f"{package} {installed} is installed, and this book needs {wanted}. "
                f"Run: pip install '{wanted}', then restart the kernel. "
                + look_up("A module is missing")
            )


def describe(config):
    """Return one line that says what a run is: data, tier, device, versions."""
    device = device_name()
    if device == "CPU":
        device = f"CPU ({os.cpu_count()} cores)"
    device += "" if use_xla() else ", XLA off"
    return (
        f"data: {config.data} | tier: {config.tier} | device: {device} | "
        f"Python {platform.python_version()}, TensorFlow {version('tensorflow')}, "
        f"Keras {version('keras')}, unetbook {unetbook.__version__}"
    )


@contextlib.contextmanager
def hold_stderr():
    """Hold back what C++ code writes to file descriptor 2; show it on an error.

    TensorFlow announces its CPU features and missing GPUs there while it loads,
    past Python's logging.
    """
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def start():
    """Load TensorFlow quietly, where it can be, and say what this run is.

    Every chapter's first cell calls it, before anything imports Keras.

    Returns:
        The `Config` of this run.

    Raises:
        ImportError: If TensorFlow cannot run here, or an installed package is outside
            the book's bounds.
        ValueError: If `UNETBOOK_TIER` or `UNETBOOK_XLA` is unknown.
    """
    load_tensorflow()
    show_drawings_as_svg()
    with hold_stderr():
        config = load_config()
        print(describe(config))
        if on_colab() and device_name() == "CPU":
            print(f"This machine has no GPU. {look_up('No GPU is seen')}")
    return config


def load_tensorflow():
    """Check machine and versions, load TensorFlow quietly, without XLA if told so.

    Raises:
        ImportError: If TensorFlow cannot run here, or an installed package is outside
            the book's bounds.
        ValueError: If `UNETBOOK_XLA` is unknown.
    """
    check_machine()
    check_versions()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Each of several networks is traced once, which TensorFlow takes for a fault.
    logger = logging.getLogger("tensorflow")
    logger.addFilter(lambda record: "retracing" not in record.getMessage())
    with hold_stderr():
        device_name()  # which also lets GPUs give memory as it is needed
        if not use_xla():
            leave_xla_off()
