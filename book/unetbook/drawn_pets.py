"""The built-in data set: pets that are drawn, each with its trimap and its head box.

`DrawnPets` has the features of TFDS's `oxford_iiit_pet`, so the whole course runs on
it without a download. Every picture is drawn from (seed, split, index) alone. Read on
from `draw_pet` to see how a pet is put together, and from `prepare_drawn_pets` to see
how the pictures reach the disk.
"""

import contextlib
import hashlib
import io
import math
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image, ImageFilter
from tqdm import tqdm

from unetbook import drawing
from unetbook.drawing import (
    COATS,
    Canvas,
    Frame,
    Light,
    Scene,
    blend,
    colour_planes,
    draw_light,
    ellipse_distance,
    finish_light,
    limbs_distance,
    paint_cover,
    paint_garden,
    paint_line,
    paint_room,
    paint_shape,
    sample_noise,
    smooth_chain,
    smoothstep,
    soften,
    streaks,
    to_uint8,
    triangle_distance,
    vary_colour,
)

NUM_PICTURES = {"train": 800, "test": 240}
SEED = 2026
BORDER = 0.0235  # half the width of the border band, as a share of the picture's size
SIDES = (120, 240)  # shortest and longest side of a picture, in pixels
ASPECTS = (0.7, 1.45)  # width over height
SHARES = (0.13, 0.72)  # wanted share of the picture that the pet covers


@dataclass(frozen=True)
class Breed:
    """What a breed looks like; colours are names in `COATS`."""

    species: str
    pattern: str
    base: str
    second: str
    third: str
    muzzle: str
    ears: str
    eyes: tuple
    nose: tuple
    tails: tuple
    fluff: float = 0.04
    build: float = 1.0


PINK, DARK = (206, 122, 116), (44, 36, 38)
AMBER, GREEN, BLUE, BROWN = (222, 158, 48), (142, 176, 84), (98, 160, 206), (96, 58, 30)
CAT_TAILS, DOG_TAILS = ("up", "question", "curl"), ("wag", "plume", "low")
BREEDS = {
    "ginger_tabby": Breed(
        "cat", "tabby", "ginger", "rust", "cream", "cream", "pointed",
        GREEN, PINK, CAT_TAILS,
    ),
    "smoky_tabby": Breed(
        "cat", "tabby", "silver", "ink", "snow", "snow", "pointed",
        AMBER, PINK, CAT_TAILS, build=1.05,
    ),
    "patchwork_cat": Breed(
        "cat", "patches", "snow", "ginger", "ink", "snow", "pointed",
        GREEN, PINK, CAT_TAILS,
    ),
    "cream_point": Breed(
        "cat", "point", "cream", "umber", "cream", "umber", "pointed",
        BLUE, DARK, CAT_TAILS, 0.03, 0.93,
    ),
    "midnight_tuxedo": Breed(
        "cat", "tuxedo", "ink", "snow", "snow", "snow", "pointed",
        AMBER, PINK, CAT_TAILS, 0.035, 1.03,
    ),
    "golden_flopear": Breed(
        "dog", "plain", "gold", "cream", "cream", "cream", "floppy",
        BROWN, DARK, ("plume",), 0.07, 1.06,
    ),
    "tricolour_hound": Breed(
        "dog", "saddle", "fawn", "ink", "snow", "snow", "floppy",
        BROWN, DARK, ("wag", "low"), 0.02,
    ),
    "snow_spotted": Breed(
        "dog", "spots", "snow", "ink", "snow", "snow", "folded",
        BROWN, DARK, ("wag", "low"), 0.02, 0.97,
    ),
    "saddled_shepherd": Breed(
        "dog", "saddle", "sand", "umber", "cream", "umber", "upright",
        BROWN, DARK, ("plume", "low"), 0.06, 1.03,
    ),
    "cocoa_curly": Breed(
        "dog", "plain", "cocoa", "fawn", "umber", "fawn", "floppy",
        AMBER, (70, 46, 40), DOG_TAILS, 0.09, 1.08,
    ),
}  # fmt: skip

# A limb is a chain of discs (x, y, radius), joined smoothly. One unit is the radius
# of the head, y points down, and the pet looks to the left.
TAILS = {
    "up": ((0, 0, 0.2), (0.5, -0.3, 0.19), (0.75, -1.1, 0.18), (0.6, -1.8, 0.13)),
    "question": (
        (0, 0, 0.2), (0.55, -0.2, 0.19), (0.8, -1.0, 0.18), (1.1, -1.6, 0.16),
        (1.45, -1.35, 0.13),
    ),
    "curl": ((0, 0, 0.22), (0.7, 0.12, 0.2), (1.2, -0.1, 0.19), (1.25, -0.6, 0.13)),
    "wag": ((0, 0, 0.2), (0.45, -0.5, 0.17), (0.65, -1.2, 0.1)),
    "plume": ((0, 0, 0.2), (0.5, -0.35, 0.34), (0.9, -0.95, 0.34), (0.85, -1.5, 0.12)),
    "low": ((0, 0, 0.2), (0.5, 0.3, 0.2), (0.75, 0.85, 0.16), (1.1, 1.2, 0.1)),
    "wrap": ((0, 0, 0.22), (0.25, 0.3, 0.22), (-0.5, 0.42, 0.2), (-1.3, 0.38, 0.14)),
}  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """Limbs painted together; `flow` is the angle at which the fur lies."""

    part: str
    limbs: tuple
    flow: float = 0.0
    roundness: float = 0.5


@dataclass(frozen=True)
class Pose:
    """Layers from back to front, where the head and tail sit, the ground, the area."""

    head: tuple
    ground: float
    area: float
    tail: tuple | None
    layers: tuple
    tails: tuple = ()
    extent: tuple = (-1.2, 4.2)


POSES = {
    "sitting": Pose(
        (0.0, 0.0), 3.3, 11.0, (0.9, 2.95),
        (
            Layer("body", (((0.05, 0.9, 0.6), (0.1, 1.8, 0.86), (0.12, 2.5, 1.0)),
                           ((-0.72, 2.68, 0.52),), ((0.95, 2.68, 0.54),)), 1.5, 0.95),
            Layer("paw", (((-0.95, 3.12, 0.2), (-0.62, 3.15, 0.19)),
                          ((1.2, 3.12, 0.2), (0.85, 3.15, 0.19))), 0.0, 0.25),
            Layer("chest", (((0.02, 0.95, 0.42), (0.06, 1.75, 0.46)),), 1.5, 0.7),
            Layer("leg", (((-0.22, 1.75, 0.27), (-0.24, 2.5, 0.22), (-0.27, 3.1, 0.21)),
                          ((0.42, 1.75, 0.27), (0.42, 2.5, 0.22), (0.43, 3.1, 0.21))),
                  1.5, 0.3),
            Layer("paw", (((-0.33, 3.16, 0.21), (-0.24, 3.16, 0.21)),
                          ((0.38, 3.16, 0.21), (0.47, 3.16, 0.21))), 0.0, 0.25),
        ),
        ("curl",), (-1.4, 2.2),
    ),
    "side_sitting": Pose(
        (-0.3, 0.0), 3.3, 10.0, (1.35, 2.95),
        (
            Layer("leg", (((0.1, 1.7, 0.3), (-0.12, 2.5, 0.2), (-0.12, 3.12, 0.19)),),
                  1.5, 0.25),
            Layer("body", (((-0.15, 0.8, 0.58), (0.15, 1.6, 0.8), (0.65, 2.35, 0.92)),),
                  1.1, 0.9),
            Layer("chest", (((-0.35, 1.0, 0.34), (-0.3, 1.6, 0.36)),), 1.4, 0.6),
            Layer("paw", (((0.3, 3.12, 0.19), (0.95, 3.05, 0.25)),), 0.0, 0.25),
            Layer("thigh", (((0.85, 2.45, 0.72), (0.7, 2.65, 0.62)),), 0.9, 0.7),
            Layer("leg", (((-0.25, 1.6, 0.34), (-0.42, 2.5, 0.23), (-0.45, 3.1, 0.2)),),
                  1.5, 0.3),
            Layer("paw", (((-0.6, 3.15, 0.2), (-0.45, 3.14, 0.21)),), 0.0, 0.25),
        ),
        ("curl",), (-1.4, 2.6),
    ),
    "standing": Pose(
        (-0.35, 0.0), 3.2, 11.5, (3.2, 1.05),
        (
            Layer("leg", (((0.75, 1.7, 0.36), (0.72, 2.4, 0.22), (0.66, 3.0, 0.19)),
                          ((2.5, 1.7, 0.4), (2.45, 2.4, 0.24), (2.38, 3.0, 0.19))),
                  1.5, 0.3),
            Layer("body", (((-0.1, 0.75, 0.55), (0.4, 1.25, 0.72), (1.6, 1.4, 0.66),
                            (2.75, 1.3, 0.64)),), 0.1, 0.75),
            Layer("chest", (((-0.15, 0.95, 0.32), (0.05, 1.4, 0.36)),), 1.3, 0.6),
            Layer("thigh", (((2.85, 1.45, 0.56), (2.8, 1.8, 0.42)),), 1.0, 0.6),
            Layer("leg", (((0.25, 1.55, 0.4), (0.22, 2.4, 0.24), (0.18, 3.0, 0.2)),
                          ((2.85, 1.85, 0.38), (3.05, 2.45, 0.22), (2.92, 3.0, 0.19))),
                  1.5, 0.32),
            Layer("paw", (((0.0, 3.03, 0.2), (0.17, 3.02, 0.2)),
                          ((2.75, 3.03, 0.19), (2.92, 3.02, 0.2))), 0.0, 0.25),
        ),
        (), (-1.5, 4.2),
    ),
    "lying": Pose(
        (-0.1, 0.0), 1.9, 8.5, (3.1, 1.45),
        (
            Layer("body", (((0.15, 0.75, 0.6), (0.7, 1.05, 0.8), (1.7, 1.08, 0.8),
                            (2.6, 1.12, 0.76)),), 0.1, 0.8),
            Layer("chest", (((0.0, 0.95, 0.38), (0.1, 1.35, 0.4)),), 1.3, 0.6),
            Layer("paw", (((1.75, 1.72, 0.18), (2.4, 1.66, 0.22)),), 0.0, 0.25),
            Layer("thigh", (((2.55, 1.15, 0.64), (2.35, 1.35, 0.5)),), 0.6, 0.6),
            Layer("leg", (((0.55, 1.5, 0.34), (0.0, 1.66, 0.23), (-0.5, 1.7, 0.2)),
                          ((0.75, 1.6, 0.3), (0.3, 1.72, 0.2), (-0.2, 1.74, 0.19))),
                  0.0, 0.3),
            Layer("paw", (((-0.75, 1.7, 0.2), (-0.55, 1.7, 0.21)),), 0.0, 0.25),
        ),
        ("wrap", "curl"), (-1.3, 3.9),
    ),
    "curled": Pose(
        (-0.75, 0.3), 1.3, 8.6, (1.5, 0.75),
        (
            Layer("body", (((-0.5, 0.0, 0.85), (0.3, -0.25, 1.0), (1.1, 0.15, 0.95)),
                           ((-0.2, 0.5, 0.7), (0.8, 0.6, 0.68))), 0.2, 1.0),
            Layer("thigh", (((1.05, 0.55, 0.66), (0.8, 0.7, 0.5)),), 0.6, 0.6),
            Layer("paw", (((0.1, 1.12, 0.18), (0.6, 1.08, 0.2)),), 0.0, 0.25),
        ),
        ("wrap",), (-1.9, 2.2),
    ),
    "portrait": Pose(
        (0.0, 0.0), 2.6, 7.6, None,
        (
            Layer("body", (((0.1, 0.8, 0.72), (0.15, 1.8, 1.05), (0.2, 3.2, 1.2)),),
                  1.5, 1.0),
            Layer("chest", (((0.0, 0.95, 0.5), (0.0, 2.6, 0.6)),), 1.5, 0.8),
        ),
        (), (-1.3, 1.5),
    ),
}  # fmt: skip

POSE_NAMES = tuple(POSES)
POSE_WEIGHTS = (0.2, 0.17, 0.2, 0.17, 0.1, 0.16)


# --------------------------------------------------------------------------- the coat


@dataclass(frozen=True)
class Coat:
    """A breed's colours in one pet, and where its pattern starts."""

    breed: Breed
    base: np.ndarray
    second: np.ndarray
    third: np.ndarray
    muzzle: np.ndarray
    shift: float

    def colour(self, part, x, y, grain):
        """Colours of the fur at local coordinates, (3, H, W).

        Args:
            part: the name of a layer, such as "body" or "head".
            x: local coordinates, (H, W).
            y: local coordinates, (H, W).
            grain: strokes of fur, (H, W), which roughen the edges of the pattern.
        """
        noise = sample_noise(x * 20 + self.shift, y * 20 + self.shift) + 0.2 * grain
        second, third = PATTERNS[self.breed.pattern](part, x, y, noise)
        colour = blend(blend(self.base, self.second, second), self.third, third)
        return colour * (1 + 0.045 * grain)


def tabby(part, x, y, noise):
    """Stripes round the body, the tail and the legs, and an M on the forehead."""
    if part == "head":
        brow = smoothstep(np.sin(12 * x + noise * 0.6), 0.1, 0.6)
        brow = brow * smoothstep(-y - 0.7 * x * x, 0.22, 0.4)
        cheek = smoothstep(np.sin(9 * y + 5 * np.abs(x) + 0.5 * noise), 0.2, 0.7)
        return np.maximum(brow, cheek * smoothstep(np.abs(x), 0.6, 0.8)) * 0.85, 0.0
    along = {"tail": 9 * (x - y), "leg": 8 * y, "paw": 0 * y, "ear": 0 * y}
    wave = along.get(part, 6.5 * x + 2.2 * y) + 1.5 * noise
    second = 0.8 * smoothstep(np.sin(wave), 0.05, 0.65)
    light = {"chest": 0.75, "paw": 0.8}
    return second * (1 - light.get(part, 0)), light.get(part, 0.0)


def patches(part, x, y, noise):
    """Patches of two colours on a third; on the head, one on each side."""
    if part in ("chest", "paw"):
        return 0.0, 0.0
    if part == "head":
        side = 1.6 * x + 0.25 * noise - 0.6 * y
        return smoothstep(side, 0.35, 0.45), smoothstep(-side, 1.0, 1.1)
    second = smoothstep(noise + 0.4 * x, 0.15, 0.4)
    other = sample_noise(y * 17 + 90, x * 17 + 40) + 0.3 * noise
    return second, smoothstep(other, 0.75, 1.0)


def point(part, x, y, noise):
    """Dark face, ears, paws and tail."""
    if part in ("tail", "ear", "paw"):
        return 0.92, 0.0
    if part == "leg":
        return smoothstep(y, 1.9, 3.0), 0.0
    if part == "head":
        return 0.9 * smoothstep(
            0.78 - np.hypot(x, y - 0.25) + 0.1 * noise, 0, 0.45
        ), 0.0
    return 0.18 * smoothstep(noise, -0.5, 1), 0.0


def tuxedo(part, x, y, noise):
    """A white shirt front, white paws and a white blaze."""
    if part in ("chest", "paw"):
        return 1.0, 0.0
    if part == "head":
        blaze = 0.1 + 0.42 * smoothstep(y, 0.0, 0.5) - np.abs(x) + 0.05 * noise
        return smoothstep(blaze, -0.03, 0.05), 0.0
    return (smoothstep(y + 0.2 * noise, 2.5, 2.7) if part == "leg" else 0.0), 0.0


def saddle(part, x, y, noise):
    """A dark back over lighter legs, a mask, and a light chest."""
    if part in ("chest", "paw"):
        return 0.0, 0.9
    if part == "head":
        blaze = smoothstep(0.13 - np.abs(x) + 0.04 * noise, -0.03, 0.04)
        cap = smoothstep(-y - 0.25 + 0.5 * np.abs(x) + 0.15 * noise, -0.1, 0.2)
        return 0.85 * cap, blaze * smoothstep(-y, -0.2, 0.3)
    if part == "body":
        return 0.95 * smoothstep(x - 0.5 * (y - 1.0) + 0.2 * noise, -0.1, 0.3), 0.0
    return (0.9 if part == "tail" else 0.15 if part == "thigh" else 0.0), 0.0


def spots(part, x, y, noise):
    """Spots of many sizes."""
    if part == "ear":
        return 0.9, 0.0
    size = 48 if part != "head" else 75
    spot = sample_noise(x * size + 31, y * size + 17) + 0.12 * noise
    fewer = 0.5 if part in ("head", "leg", "chest", "paw") else 0.0
    return smoothstep(spot, 0.9 + fewer, 1.15 + fewer), 0.0


def plain(part, x, y, noise):
    """One colour, lighter on the chest and darker here and there."""
    light = {"chest": 0.75, "tail": 0.4, "paw": 0.35, "leg": 0.2}
    return light.get(part, 0.14 * smoothstep(noise, -0.5, 1.5)), 0.0


PATTERNS = {
    "tabby": tabby, "patches": patches, "point": point, "tuxedo": tuxedo,
    "saddle": saddle, "spots": spots, "plain": plain,
}  # fmt: skip


def draw_coat(rng, breed):
    """Mixes the colours of one pet; no two of a breed are quite alike."""

    def mix(name):
        return vary_colour(rng, COATS[name])

    names = (breed.base, breed.second, breed.third, breed.muzzle)
    return Coat(breed, *[mix(name) for name in names], rng.uniform(0, 250))


# ---------------------------------------------------------------------------- the pet


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


def paint_fur(canvas, frame, pet, layer):
    """Paints one layer of the pet: shape, pattern, strokes of fur, light."""
    view, x, y = frame.view_limbs(canvas, layer.limbs)
    d = limbs_distance(x, y, layer.limbs)
    grain = streaks(x, y, layer.flow, frame.scale)
    colour = pet.coat.colour(layer.part, x, y, grain)
    fur = pet.breed.fluff * 0.45 * grain
    paint_shape(view, d, frame.scale, colour, pet.light, layer.roundness, 1.0, fur)


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
    paint_shape(view, d, pet.frame.scale, pet.collar, pet.light, 0.15, 1.0)
    tag = np.hypot(x - x0, y - y0 - 1.17) - 0.14
    gold = colour_planes((226, 186, 84))
    paint_shape(view, tag, pet.frame.scale, gold, pet.light, 0.2, 1.0)


# --------------------------------------------------------------------------- the head

CAT_HEAD = (
    ((-0.3, -0.05, 0.72), (0.3, -0.05, 0.72)),
    ((-0.5, 0.28, 0.48), (0.5, 0.28, 0.48)),
)
DOG_HEAD = (
    ((-0.16, -0.28, 0.66), (0.16, -0.28, 0.66)),
    ((-0.22, 0.3, 0.5), (0.22, 0.3, 0.5)),
)
CAT_EARS = (
    ((-0.95, -0.28), (-0.86, -1.36), (-0.16, -0.72)),
    ((0.16, -0.72), (0.86, -1.36), (0.95, -0.28)),
)
DOG_EARS = (
    ((-0.88, -0.35), (-0.72, -1.5), (-0.12, -0.75)),
    ((0.12, -0.75), (0.72, -1.5), (0.88, -0.35)),
)
EYES = {"cat": ((0.4, 0.0), (0.235, 0.2)), "dog": ((0.36, -0.13), (0.17, 0.175))}
FLOPPY_EAR = (
    (0.6, -0.72, 0.22),
    (0.92, -0.4, 0.3),
    (1.02, 0.1, 0.33),
    (0.95, 0.5, 0.26),
)
FOLDED_EAR = (
    (0.5, -0.85, 0.2),
    (0.85, -0.85, 0.24),
    (1.02, -0.5, 0.22),
    (0.98, -0.22, 0.12),
)


def paint_pointed_ears(canvas, pet, corners):
    """Paints ears that stand up, with pink inside."""
    frame = pet.head
    for ear in corners:
        xs, ys = zip(*ear, strict=True)
        view, x, y = frame.view(canvas, min(xs) - 0.2, min(ys) - 0.2, max(xs) + 0.2, 0)
        d = triangle_distance(x, y, ear, 0.06)
        grain = streaks(x, y, 1.5, frame.scale)
        colour = pet.coat.colour("ear", x, y, grain)
        fur = 0.4 * pet.breed.fluff * grain
        paint_shape(view, d, frame.scale, colour, pet.light, 0.3, 1.0, fur)
        inside = smoothstep(-d, 0.13, 0.22) * smoothstep(-y, 0.35, 0.75)
        pink = colour_planes((198, 136, 122)) * (0.9 + 0.1 * grain)
        view.paint(0.75 * inside, pink * pet.light.shade(d, frame.scale, 0.3), 1.0)


def paint_hanging_ears(canvas, pet, chain):
    """Paints ears that hang down or fold over, in front of the head."""
    for side in (-1, 1):
        limb = smooth_chain(tuple((side * x, y, r) for x, y, r in chain))
        layer = Layer("ear", (limb,), 1.4, 0.3)
        if pet.breed.pattern in ("plain", "saddle"):
            layer = replace(
                layer, part="tail" if pet.breed.pattern == "saddle" else "ear"
            )
        paint_fur(canvas, pet.head, pet, layer)


def paint_skull(canvas, pet):
    """Paints the head itself, with fur that grows outwards from the nose."""
    frame, limbs = pet.head, CAT_HEAD if pet.breed.species == "cat" else DOG_HEAD
    view, x, y = frame.view_limbs(canvas, limbs)
    d = limbs_distance(x, y, limbs, 0.35)
    angle, far = np.arctan2(y - 0.25, x), np.hypot(x, y - 0.25)
    grain = 0.7 * streaks(far, angle * 0.8, 0.0, frame.scale)
    colour = pet.coat.colour("head", x, y, grain)
    fur = pet.breed.fluff * 0.6 * grain
    paint_shape(view, d, frame.scale, colour, pet.light, 0.75, 1.0, fur)


def paint_muzzle(canvas, pet):
    """Paints the muzzle: two small puffs for a cat, a long snout for a dog."""
    frame = pet.head
    if pet.breed.species == "cat":
        limbs = (((-0.19, 0.42, 0.24),), ((0.19, 0.42, 0.24),), ((0.0, 0.6, 0.16),))
    else:
        limbs = (
            ((0.0, 0.08, 0.27), (0.0, 0.4, 0.36)),
            ((-0.2, 0.48, 0.29), (0.2, 0.48, 0.29)),
        )
    view, x, y = frame.view_limbs(canvas, limbs)
    d = limbs_distance(x, y, limbs, 0.12)
    grain = streaks(x, y, 1.2, frame.scale)
    soft = smoothstep(-d, -0.06, 0.12)
    light = pet.light.shade(d, frame.scale, 0.42)
    colour = pet.coat.muzzle * (1 + 0.06 * grain) * (0.12 + 0.92 * light)
    view.paint(soft * 0.92, colour, None)


def paint_nose(canvas, pet):
    """Paints the nose: a small triangle for a cat, a large round one for a dog."""
    frame, is_cat = pet.head, pet.breed.species == "cat"
    view, x, y = frame.view(canvas, -0.4, -0.1, 0.4, 0.5)
    if is_cat:
        d = triangle_distance(x, y, ((-0.13, 0.22), (0.13, 0.22), (0.0, 0.37)), 0.02)
    else:
        d = ellipse_distance(x, y, (0, 0.2), (0.23, 0.17))
    nose = colour_planes(pet.breed.nose)
    paint_shape(view, d, frame.scale, nose, pet.light, 0.15, 1.0)
    shine = ellipse_distance(x, y, (-0.05, 0.25 if is_cat else 0.14), (0.07, 0.035))
    paint_line(view, shine, frame.scale, colour_planes((255, 245, 240)), 0.6)


def paint_mouth(canvas, pet):
    """Paints a smile, and the tongue of some dogs."""
    frame, is_cat = pet.head, pet.breed.species == "cat"
    view, x, y = frame.view(canvas, -0.6, -0.05, 0.6, 1.3)
    top, dip, wide = (0.33, 0.53, 0.21) if is_cat else (0.3, 0.66, 0.3)
    if not is_cat and pet.gaze > -0.2 and pet.mood == "awake":
        tongue = (((0.0, dip + 0.05, 0.15), (0.02, dip + 0.3, 0.16)),)
        d = limbs_distance(x, y, tongue)
        pink = colour_planes((214, 112, 112))
        paint_shape(view, d, frame.scale, pink, pet.light, 0.2, 1.0)
        fold = np.maximum(np.abs(x - 0.01) - 0.012, np.abs(y - dip - 0.15) - 0.18)
        paint_line(view, fold, frame.scale, pink * 0.7)
    thick = max(0.028, 0.55 / frame.scale)
    for side in (-1, 1):
        smile = ((0, top), (0, dip - 0.04), (side * wide * 0.5, dip + 0.03))
        smile = tuple((x, y, thick) for x, y in (*smile, (side * wide, dip - 0.05)))
        d = limbs_distance(x, y, (smooth_chain(smile, 2),), 0.02)
        paint_line(view, d, frame.scale, colour_planes((58, 40, 38)), 0.85)


def paint_eye(canvas, pet, side):
    """Paints an open eye: rim, iris, pupil, and the light in it."""
    frame, is_cat = pet.head, pet.breed.species == "cat"
    (cx, cy), radii = EYES[pet.breed.species]
    cx *= side
    view, x, y = frame.view(canvas, cx - 0.36, cy - 0.36, cx + 0.36, cy + 0.36)
    d = ellipse_distance(x, y, (cx, cy), radii, side * (-0.28 if is_cat else 0.1))
    paint_line(view, d - 0.045, frame.scale, colour_planes((34, 26, 28)))
    iris = colour_planes(pet.breed.eyes)
    fall = smoothstep(y - cy, -0.2, 0.2)
    paint_line(view, d, frame.scale, iris * (0.55 + 0.65 * fall))
    look = cx + 0.05 * pet.gaze
    pupil = (pet.pupil, 0.17) if is_cat else (0.1, 0.105)
    d_pupil = ellipse_distance(x, y, (look, cy), pupil)
    paint_line(view, np.maximum(d_pupil, d), frame.scale, colour_planes((18, 14, 18)))
    for dx, dy, radius, strength in (
        (-0.06, -0.08, 0.055, 1.0),
        (0.05, 0.07, 0.028, 0.7),
    ):
        spark = np.hypot(x - look - dx, y - cy - dy) - radius
        paint_line(view, spark, frame.scale, colour_planes((255, 255, 250)), strength)


def paint_brow(canvas, pet, side):
    """Paints a small light spot above a dog's eye, which gives it a friendly look."""
    if pet.breed.species == "cat" or pet.breed.pattern == "spots":
        return
    cx = side * 0.36
    view, x, y = pet.head.view(canvas, cx - 0.25, -0.6, cx + 0.25, -0.25)
    d = ellipse_distance(x, y, (cx, -0.43), (0.15, 0.08), side * 0.3)
    tone = blend(pet.coat.base, pet.coat.third, 0.5)
    view.paint(0.7 * smoothstep(-d, -0.04, 0.06), tone, None)


def paint_closed_eye(canvas, pet, side):
    """Paints a closed eye, as a curve."""
    cx = side * 0.39
    thick = max(0.04, 0.7 / pet.head.scale)
    limb = ((cx - 0.2, 0.0, thick), (cx, 0.09, thick), (cx + 0.2, 0.0, thick))
    view, x, y = pet.head.view_limbs(canvas, (limb,))
    d = limbs_distance(x, y, (smooth_chain(limb),), 0.02)
    paint_line(view, d - 0.05, pet.head.scale, pet.coat.third, 0.25)
    paint_line(view, d, pet.head.scale, colour_planes((30, 20, 22)))


def paint_whiskers(canvas, pet):
    """Paints whiskers, which the trimap leaves out, as the photographs' trimaps do."""
    if pet.breed.species != "cat":
        return
    pale = colour_planes((250, 246, 238))
    for side in (-1, 1):
        for rise in (-0.16, 0.02, 0.2):
            start, end = (
                (side * 0.3, 0.42 + 0.3 * rise),
                (side * 1.5, 0.46 + 1.5 * rise),
            )
            limb = ((*start, 0.012), (side * 0.9, 0.38 + rise, 0.01), (*end, 0.004))
            limbs = (smooth_chain(limb, 2),)
            view, x, y = pet.head.view_limbs(canvas, limbs, 0.05)
            d = limbs_distance(x, y, limbs, 0.02)
            paint_line(view, d, pet.head.scale, pale, 0.6)


def paint_head(canvas, pet):
    """Paints the head: ears, skull, muzzle, eyes, nose, mouth and whiskers."""
    upright = {"pointed": CAT_EARS, "upright": DOG_EARS}
    hanging = {"floppy": FLOPPY_EAR, "folded": FOLDED_EAR}
    if pet.breed.ears in upright:
        paint_pointed_ears(canvas, pet, upright[pet.breed.ears])
    paint_skull(canvas, pet)
    paint_muzzle(canvas, pet)
    for side in (-1, 1):
        if pet.mood == "awake":
            paint_brow(canvas, pet, side)
            paint_eye(canvas, pet, side)
        else:
            paint_closed_eye(canvas, pet, side)
    paint_mouth(canvas, pet)
    paint_nose(canvas, pet)
    if pet.breed.ears in hanging:
        paint_hanging_ears(canvas, pet, hanging[pet.breed.ears])
    paint_whiskers(canvas, pet)


# ------------------------------------------------------------------------ the picture


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
        accent = drawing.ACCENTS[rng.integers(len(drawing.ACCENTS))]
        collar = colour_planes(accent)
    return Pet(
        breed, draw_coat(rng, breed), pose, frame, head, draw_light(rng),
        "asleep" if asleep else "awake", rng.uniform(-1, 1), rng.uniform(0.06, 0.15),
        collar,
    )  # fmt: skip


def paint_ground_shadow(canvas, pet):
    """Paints the shadow that the pet casts on the ground."""
    low, high = pet.pose.extent
    frame, ground = pet.frame, pet.pose.ground
    middle, half = (low + high) / 2, (high - low) / 2
    lean = -pet.light.direction[0] * 1.2 * frame.flip
    view, x, y = frame.view(canvas, low - 2, ground - 1.2, high + 2, ground + 1.2)
    d = np.hypot((x - middle - lean) / (half + 0.3), (y - ground + 0.05) / 0.55)
    view.darken(0.55 * smoothstep(1.1 - d, 0, 0.9))


def draw_scene(rng, pet, size):
    """Picks the scene that fits the pet: where the floor starts, and its colours."""
    height, width = size
    ground = pet.frame.y + pet.pose.ground * pet.frame.scale
    floor = min(ground, height) - rng.uniform(0.08, 0.3) * height
    breed = pet.breed
    coats = tuple(
        COATS[name] for name in (breed.base, breed.base, breed.second, breed.third)
    )
    unit = math.sqrt(height * width) / 10
    return Scene(rng, pet.light, max(floor, 0.2 * height), unit, coats)


def draw_canvas(rng, breed, size):
    """Paints scene, pet, whatever hides it, and the light; returns canvas and pet."""
    canvas = Canvas.blank(*size)
    pet = draw_pet(rng, breed, size)
    scene = draw_scene(rng, pet, size)
    is_room = rng.random() < 0.6
    (paint_room if is_room else paint_garden)(canvas, scene)
    soften(canvas, size[0] * rng.uniform(0.005, 0.013))
    paint_ground_shadow(canvas, pet)
    paint_body(canvas, rng, pet)
    paint_collar(canvas, pet)
    paint_head(canvas, pet)
    if rng.random() < (0.3 if is_room else 0.5):
        hide_part(canvas, scene, pet, is_room)
    finish_light(canvas, scene)
    return canvas, pet


def hide_part(canvas, scene, pet, is_room):
    """Puts furniture or grass in front of a part of the pet, but not of its face."""
    frame, (low, high) = pet.frame, pet.pose.extent
    ground = min(frame.y + pet.pose.ground * frame.scale, canvas.size[0])
    x, _ = frame.to_picture(scene.rng.uniform(low, high), 0)
    paint_cover(canvas, scene, is_room, x, ground - 0.9 * frame.scale, frame.scale)


def make_trimap(pet):
    """Turns the pet's coverage into a trimap: 1 pet, 2 background, 3 border.

    Args:
        pet: float32 array of shape (H, W), how much of each pixel is pet.

    Returns:
        uint8 array of shape (H, W); the border is a band on both sides of the outline,
        as wide as `BORDER` says.
    """
    mask = Image.fromarray(np.where(pet > 0.5, np.uint8(255), np.uint8(0)))
    blur = BORDER * math.sqrt(pet.size)
    soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(blur)))
    trimap = np.where(soft > 127, np.uint8(1), np.uint8(2))
    trimap[(soft > 41) & (soft < 214)] = 3
    return trimap


def find_head(pet, size):
    """Returns the head's box as (ymin, xmin, ymax, xmax), shares of the picture."""
    height, width = size
    corners = [(x, y) for x in (-0.95, 0.95) for y in (-1.1, 0.9)]
    xs, ys = zip(*[pet.head.to_picture(*corner) for corner in corners], strict=True)
    box = np.array(
        [min(ys) / height, min(xs) / width, max(ys) / height, max(xs) / width]
    )
    return tuple(np.clip(box, 0, 1).tolist())


def draw_size(rng):
    """Picks height and width in pixels."""
    aspect = math.exp(rng.uniform(*np.log(ASPECTS)))
    side = rng.uniform(140, 192)
    height, width = side / math.sqrt(aspect), side * math.sqrt(aspect)
    return tuple(int(np.clip(round(s), *SIDES)) for s in (height, width))


def draw_picture(rng, breed):
    """Draws one picture.

    Args:
        rng: the only source of chance.
        breed: a `Breed`.

    Returns:
        image uint8 (H, W, 3), trimap uint8 (H, W) in {1, 2, 3}, and the head's box
        (ymin, xmin, ymax, xmax) in [0, 1].
    """
    while True:  # a pet that its frame or cover hides nearly whole is drawn again
        size = draw_size(rng)
        canvas, pet = draw_canvas(rng, breed, size)
        trimap = make_trimap(canvas.pet)
        if 0.05 < np.mean(trimap == 1) < 0.75 and np.mean(trimap == 2) > 0.08:
            break
    return to_uint8(canvas.rgb), trimap, find_head(pet, size)


# ----------------------------------------------------------------------- the data set


def encode_picture(array, kind, **options):
    """Turns an array into the bytes of a JPEG or PNG file."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


def draw_example(split, index, seed=SEED):
    """Draws example number `index` of a split, ready for TFDS.

    Args:
        split: "train" or "test".
        index: number of the picture, from 0; breeds take turns.
        seed: another seed gives another data set.

    Returns:
        dict with the features of `oxford_iiit_pet`; the same arguments give the same
        bytes.
    """
    rng = np.random.default_rng([seed, list(NUM_PICTURES).index(split), index])
    name = list(BREEDS)[index % len(BREEDS)]
    image, trimap, (ymin, xmin, ymax, xmax) = draw_picture(rng, BREEDS[name])
    return {
        "image": encode_picture(image, "JPEG", quality=int(rng.integers(84, 95))),
        "segmentation_mask": encode_picture(trimap, "PNG", compress_level=1),
        "label": name,
        "species": BREEDS[name].species,
        "file_name": f"{name}_{split}_{index:04d}.jpg",
        "head_bbox": tfds.features.BBox(ymin, xmin, ymax, xmax),
    }


class DrawnPets(tfds.core.GeneratorBasedBuilder):
    """Drawn cats and dogs with trimaps; the features are those of `oxford_iiit_pet`."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description="Cats and dogs drawn by the course itself, with trimaps.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(encoding_format="jpeg"),
                    "label": tfds.features.ClassLabel(names=list(BREEDS)),
                    "species": tfds.features.ClassLabel(names=["cat", "dog"]),
                    "file_name": tfds.features.Text(),
                    "segmentation_mask": tfds.features.Image(
                        shape=(None, None, 1), use_colormap=True
                    ),
                    "head_bbox": tfds.features.BBoxFeature(),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in NUM_PICTURES}

    def _generate_examples(self, split):
        indices = range(NUM_PICTURES[split])
        for index in tqdm(indices, f"Drawing pets ({split})", leave=False):
            yield index, draw_example(split, index)


def hash_source():
    """Hashes the drawing code and the numbers of pictures: the name of their folder."""
    digest = hashlib.sha256(repr((NUM_PICTURES, SEED)).encode())
    for file in (drawing.__file__, __file__):
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:12]


def prepare_drawn_pets(cache_dir):
    """Draws the data set into a cache folder, unless it is there already.

    The pictures are first written to a folder of another name, which is then renamed:
    a preparation that was stopped half-way is never mistaken for a finished one, and
    two processes at once do no harm.

    Args:
        cache_dir: folder for caches; made when it is missing.

    Returns:
        The prepared `DrawnPets` builder.
    """
    folder = Path(cache_dir) / f"drawn_pets-{hash_source()}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder.parent)
        unfinished = tempfile.mkdtemp(prefix=".drawing-pets-", dir=folder.parent)
        try:
            write_pictures(unfinished)
            publish(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return DrawnPets(data_dir=str(folder))


def write_pictures(folder):
    """Draws all pictures into a folder, with one progress bar and no other noise."""
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            DrawnPets(data_dir=str(folder)).download_and_prepare()
    finally:
        tfds.enable_progress_bar()


def publish(unfinished, folder):
    """Renames a finished folder, unless another process was faster."""
    try:
        os.rename(unfinished, folder)
    except OSError:
        if not folder.exists():
            raise


def remove_leftovers(cache_dir, hours=6):
    """Removes what interrupted preparations left behind, once it is old."""
    for leftover in cache_dir.glob(".drawing-pets-*"):
        if time.time() - leftover.stat().st_mtime > hours * 3600:
            shutil.rmtree(leftover, ignore_errors=True)
