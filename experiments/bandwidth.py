"""On paper: how long several machines exchange gradients, and when a second one pays.

Every step the machines need the sum of their gradients. In a ring, each of n machines
sends, and receives, 2 (n - 1) / n times all gradients (Patarasuk & Yuan, 2009). The
estimate is for a given batch that is shared out, an exchange that waits for the last
gradient, and a network without delays; what overlaps makes it cheaper, delays dearer.
"""

import math

from experiments.recipes import ARTICLE
from unetbook.inspection import unet_parameters
from unetbook.results import read_runs

BYTES = 4  # of one gradient, float32
GIGABITS = (1, 10, 100)
# What the article's notebook shows: seconds of an epoch, and pictures in it.
COLAB_EPOCH, COLAB_PICTURES = 59, 3680


def exchange_seconds(parameters, gigabits, machines=2):
    """Return the seconds that a step spends on the exchange of gradients.

    Args:
        parameters: Trainable parameters of the network.
        gigabits: What the network carries in a second, in each direction, in Gbit.
        machines: How many share the batch.
    """
    sent = 2 * (machines - 1) / machines * BYTES * parameters
    return 8 * sent / (1e9 * gigabits)


def speed_up(step_seconds, parameters, gigabits, machines=2):
    """Return how many times faster a step is than on one machine; below 1 it is slower.

    Args:
        step_seconds: What one machine needs for the whole batch.
        parameters, gigabits, machines: As in `exchange_seconds`.
    """
    exchange = exchange_seconds(parameters, gigabits, machines)
    return step_seconds / (step_seconds / machines + exchange)


def worthwhile_step(parameters, gigabits, machines=2):
    """Return the seconds of one machine's step above which more machines are faster."""
    exchange = exchange_seconds(parameters, gigabits, machines)
    return exchange * machines / (machines - 1)


def estimate():
    """Return when a second machine pays, on paper, for two networks.

    The seconds of a step are those of one machine: for `large` the fastest epoch that
    was recorded on two CPU cores, for the article's what its notebook shows for a GPU
    in Colab. Both hold the validation, too.
    """
    large = read_runs("large")[0]
    settings, pictures = large["settings"], large["data"]["train"]
    fastest = min(large["history"]["seconds"])
    networks = {
        "large, two CPU cores": (
            large["parameters"],
            fastest / math.ceil(pictures / settings["batch_size"]),
        ),
        "the article's, a GPU in Colab": (
            unet_parameters(
                ARTICLE.filters,
                up_kernel_size=ARTICLE.up_kernel_size,
                batch_normalization=False,
            ),
            COLAB_EPOCH / math.ceil(COLAB_PICTURES / ARTICLE.batch_size),
        ),
    }
    return {name: estimate_network(*facts) for name, facts in networks.items()}


def estimate_network(parameters, step):
    """Return the estimates for one network at each of `GIGABITS`."""
    rows = {
        f"{gigabits} Gbit/s": {
            "exchange_seconds": exchange_seconds(parameters, gigabits),
            "pays_above_seconds": worthwhile_step(parameters, gigabits),
            "speed_up": speed_up(step, parameters, gigabits),
        }
        for gigabits in GIGABITS
    }
    return {"parameters": parameters, "step_seconds": step, **rows}
