"""Compare the article's input pipeline with ours: `python -m experiments bench`.

Both read the same prepared data, at 128 x 128 and batch 64, side by side in one run,
as many training pictures as Oxford-IIIT Pet has; the drawn pets are repeated.
UNETBOOK_DATA chooses the data: `drawn` (the default) or `oxford`.
"""

import statistics
import time

import tensorflow as tf

from unetbook.config import start
from unetbook.data import cache_pairs, load_pets, make_dataset

IMAGE_SIZE, BATCH_SIZE, ROUNDS = 128, 64, 7
NUM_TRAIN = 3312  # the official 3,680 without a tenth for validation
SECONDS = 1.0  # the least time one measurement takes


def load_example(example):
    """Resize, scale and subtract 1, one picture at a time, as the article does."""
    size = (IMAGE_SIZE, IMAGE_SIZE)
    image = tf.image.resize(example["image"], size)
    mask = tf.image.resize(example["segmentation_mask"], size, method="nearest")
    return tf.cast(image, tf.float32) / 255.0, mask - 1


def load_and_flip(example):
    """Flip half of the pictures, once and for all: the cache comes afterwards."""
    image, mask = load_example(example)
    if tf.random.uniform(()) > 0.5:
        image, mask = tf.image.flip_left_right(image), tf.image.flip_left_right(mask)
    return image, mask


def make_article(train, test):
    """Build the article's pipelines; returns what is cached, and epoch makers."""
    cached = train.map(load_and_flip, tf.data.AUTOTUNE).cache()
    batches = cached.shuffle(1000).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)
    val_batches = test.map(load_example, tf.data.AUTOTUNE).batch(BATCH_SIZE)
    return cached, lambda epoch: batches, lambda epoch: val_batches


def make_ours(train, test):
    """Build our pipelines; returns what is cached, and epoch makers."""
    pairs, val_pairs = cache_pairs(train, IMAGE_SIZE), cache_pairs(test, IMAGE_SIZE)
    val_ds = make_dataset(val_pairs, BATCH_SIZE)

    def make_epoch(epoch):
        return make_dataset(pairs, BATCH_SIZE, training=True, epoch=epoch)

    return pairs, make_epoch, lambda epoch: val_ds


def count_bytes(cached):
    """Fill a cache; returns the bytes it holds for one picture."""
    sizes = [sum(x.nbytes for x in pair) for pair in cached.as_numpy_iterator()]
    return sum(sizes) / len(sizes)


def measure_rates(make_epoch, first_epoch):
    """Run warm epochs for at least SECONDS; returns images a second, and a CPU second.

    The second figure is the fairer one on a machine that is busy with other work.
    Building a pipeline is left out: `measure_build` tells what it takes.
    """
    seconds, cpu_seconds, epoch, num_images = 0.0, 0.0, first_epoch, 0
    while seconds < SECONDS:
        batches = make_epoch(epoch)
        begin, cpu_begin = time.perf_counter(), time.process_time()
        num_images += sum(images.shape[0] for images, _ in batches)
        seconds += time.perf_counter() - begin
        cpu_seconds += time.process_time() - cpu_begin
        epoch += 1
    return num_images / seconds, num_images / cpu_seconds


def measure_build(make_epoch):
    """Return the median time in milliseconds that building one epoch takes."""
    times = []
    for epoch in range(ROUNDS):
        begin = time.perf_counter()
        make_epoch(epoch)
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times)


def compare_rates(make_article_epoch, make_our_epoch):
    """Measure both in turn, several times; returns the medians of all four rates."""
    for make_epoch in (make_article_epoch, make_our_epoch):
        for _ in make_epoch(0):  # fills the caches
            pass
    rates = [
        measure_rates(make_article_epoch, 1) + measure_rates(make_our_epoch, 100 * turn)
        for turn in range(1, ROUNDS + 1)
    ]
    return [statistics.median(column) for column in zip(*rates, strict=True)]


def print_row(name, article, ours, target, is_met):
    """Print both figures, ours over the article's, and the target."""
    verdict = "reached" if is_met else "missed"
    print(
        f"{name:<42}{article:>12,.0f}{ours:>12,.0f}{ours / article:>9.2f}"
        f"   {target}: {verdict}"
    )


def print_rates(name, epochs, target, share):
    """Print the rates of two epoch makers; ours has to reach a share of the other."""
    old, old_cpu, new, new_cpu = compare_rates(*epochs)
    print_row(f"{name}, images a second", old, new, target, new >= share * old)
    is_met = new_cpu >= share * old_cpu
    print_row(f"{name}, images a CPU second", old_cpu, new_cpu, target, is_met)


def main(options):
    """Print cached bytes, validation rate and training rate of both pipelines."""
    pets = load_pets(start().data)
    train = pets.train.repeat().take(NUM_TRAIN)
    article, article_epoch, article_val = make_article(train, pets.test)
    pairs, our_epoch, our_val = make_ours(train, pets.test)
    print(
        f"{len(train):,} training and {len(pets.test):,} validation pictures "
        f"(the test split), {IMAGE_SIZE} px, batch {BATCH_SIZE}, "
        f"medians of {ROUNDS} rounds in turn"
    )
    print(f"{'':<42}{'article':>12}{'ours':>12}{'ratio':>9}   target")
    old, new = count_bytes(article), count_bytes(pairs)
    print_row("cached bytes a picture", old, new, "at most 1/3", new <= old / 3)
    print_rates("validation", (article_val, our_val), "at least 5", 5)
    print_rates("training", (article_epoch, our_epoch), "at least 1/4", 1 / 4)
    print(
        "The article's flips are frozen in its cache; ours are drawn afresh, by a "
        f"pipeline built anew for each epoch in {measure_build(our_epoch):.0f} ms."
    )
