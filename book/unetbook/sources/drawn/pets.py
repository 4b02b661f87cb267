"""One pet: everything about it is picked, then its body is painted."""

import math
from dataclasses import dataclass, replace

import numpy as np

from unetbook.sources.drawn.breeds import Breed, Coat, draw_coat
from unetbook.sources.drawn.canvas import (
    ACCENTS,
    Frame,
    Light,
    colour_planes,
    draw_light,
    paint_shape,
    streaks,
)
from unetbook.sources.drawn.poses import (
    POSE_NAMES,
    POSE_WEIGHTS,
    POSES,
    TAILS,
    Layer,
    Pose,
)
from unetbook.sources.drawn.shapes import limbs_distance, smooth_chain

SHARES = (0.13, 0.72)  # wanted share of the picture that the pet covers


@dataclass(frozen=True)
class Pet:
    """One pet, ready to be painted."""

    breed: Breed
    coat: Coat
    pose: Pose
    frame: Frame
    head: Frame
    light: Light
    mood: str  # "awake" or "asleep"
    gaze: float  # where the pupils look: -1 left to 1 right
    pupil: float  # half the width of a cat's pupil
    collar: np.ndarray | None


def draw_frame(rng, pose, size):
    """Picks the size and place of the pet, so that its face stays in the picture."""
    height, width = size
    share = rng.uniform(*SHARES)
    scale = math.sqrt(share * height * width / pose.area)
    flip = 1 if rng.random() < 0.5 else -1
    low, high = pose.extent
    spare = width - (high - low) * scale  # negative: the frame cuts the pet off
    wander = max(abs(spare) / 2, 0.12 * width)
    x = width / 2 + rng.uniform(-1, 1) * wander - flip * (low + high) / 2 * scale
    head_x = x + flip * pose.head[0] * scale
    x += min(max(head_x, 0.14 * width), 0.86 * width) - head_x
    tall = (pose.ground - pose.head[1] + 1.25) * scale
    feet = min(max(height * rng.uniform(0.72, 1.0), 0.9 * tall), 1.35 * height)
    y = max(feet - pose.ground * scale, (0.6 - pose.head[1]) * scale)
    if pose is POSES["portrait"]:  # the chest goes on below the picture
        y = height - pose.ground * scale * rng.uniform(0.7, 1.0)
    return Frame(x, min(y, height - (pose.head[1] + 0.8) * scale), scale, flip)


def draw_pet(rng, breed, size):
    """Picks everything about a pet: pose, place, coat, mood, light."""
    pose_name = rng.choice(POSE_NAMES, p=POSE_WEIGHTS)
    pose = POSES[pose_name]
    frame = draw_frame(rng, pose, size)
    big = 1.08 if breed.species == "cat" else 1.0
    head = frame.inner(*pose.head, big * rng.uniform(0.95, 1.05), rng.normal(0, 0.16))
    asleep = rng.random() < {"curled": 0.75, "lying": 0.25}.get(pose_name, 0.03)
    collar = None
    if rng.random() < 0.5:
        accent = ACCENTS[rng.integers(len(ACCENTS))]
        collar = colour_planes(accent)
    return Pet(
        breed, draw_coat(rng, breed), pose, frame, head, draw_light(rng),
        "asleep" if asleep else "awake", rng.uniform(-1, 1), rng.uniform(0.06, 0.15),
        collar,
    )  # fmt: skip


def paint_fur(canvas, frame, pet, layer):
    """Paints one layer of the pet: shape, pattern, strokes of fur, light."""
    view, x, y = frame.view_limbs(canvas, layer.limbs)
    d = limbs_distance(x, y, layer.limbs)
    grain = streaks(x, y, layer.flow, frame.scale)
    colour = pet.coat.colour(layer.part, x, y, grain)
    fur = pet.breed.fluff * 0.45 * grain
    paint_shape(view, d, colour, layer.roundness, 1.0, fur)


def thicken(limbs, factor):
    """Makes limbs thicker or thinner."""
    return tuple(tuple((x, y, r * factor) for x, y, r in limb) for limb in limbs)


def paint_tail(canvas, rng, pet):
    """Paints the tail, behind or in front of the body."""
    x0, y0 = pet.pose.tail
    kind = rng.choice(pet.pose.tails or pet.breed.tails)
    thick = 1.0 if pet.breed.species == "cat" else 1.1
    chain = [(x0 + x, y0 + y, r * thick) for x, y, r in TAILS[kind]]
    if pet.breed.fluff > 0.05 and kind != "plume":
        chain = [(x, y, r * 1.25) for x, y, r in chain]
    limbs = (smooth_chain(tuple(chain)),)
    paint_fur(canvas, pet.frame, pet, Layer("tail", limbs, 2.2, 0.22))


def paint_body(canvas, rng, pet):
    """Paints the tail and the layers of the body, from back to front."""
    in_front = pet.pose.tail is not None and rng.random() < 0.6
    wraps = pet.pose.tails[:1] == ("wrap",)
    if pet.pose.tail is not None and not (wraps and in_front):
        paint_tail(canvas, rng, pet)
    for layer in pet.pose.layers:
        limbs = thicken(layer.limbs, pet.breed.build)
        paint_fur(canvas, pet.frame, pet, replace(layer, limbs=limbs))
    if wraps and in_front:
        paint_tail(canvas, rng, pet)


def paint_collar(canvas, pet):
    """Paints a collar with a round tag below the head."""
    if pet.collar is None:
        return
    x0, y0 = pet.pose.head
    limb = (
        (x0 - 0.6, y0 + 0.72, 0.1),
        (x0, y0 + 1.0, 0.11),
        (x0 + 0.68, y0 + 0.72, 0.1),
    )
    limb = smooth_chain(limb)
    view, x, y = pet.frame.view_limbs(canvas, (limb,))
    d = limbs_distance(x, y, (limb,), 0.05)
    paint_shape(view, d, pet.collar, 0.15, 1.0)
    tag = np.hypot(x - x0, y - y0 - 1.17) - 0.14
    gold = colour_planes((226, 186, 84))
    paint_shape(view, tag, gold, 0.2, 1.0)
