"""The breeds, and the patterns and colours of their coats."""

from dataclasses import dataclass

import numpy as np

from unetbook.sources.drawn.canvas import COATS, blend, vary_colour
from unetbook.sources.drawn.shapes import sample_noise, smoothstep


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
