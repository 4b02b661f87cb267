"""What rooms and gardens have in common: their colours, cloth, toys and film."""

from dataclasses import dataclass

import numpy as np

from unetbook.sources.drawn.canvas import (
    ACCENTS,
    COATS,
    LEAVES,
    Frame,
    Light,
    paint_shape,
    vary_colour,
)
from unetbook.sources.drawn.shapes import limbs_distance, sample_noise, smoothstep


@dataclass(frozen=True)
class Scene:
    """What the things around a pet have in common."""

    rng: np.random.Generator
    light: Light
    floor: float  # the row where the wall or hedge meets the ground
    unit: float  # a tenth of the picture's size, in pixels
    coats: tuple  # colours of the pet in this picture

    def colour(self):
        """Picks a colour: one of the pet's own, or of another coat."""
        rng = self.rng
        if rng.random() < 0.5:
            colour = self.coats[rng.integers(len(self.coats))]
        else:
            colour = list(COATS.values())[rng.integers(len(COATS))]
        return vary_colour(rng, colour)

    def accent(self):
        """Picks a bright colour for something small."""
        rng = self.rng
        return vary_colour(rng, ACCENTS[rng.integers(len(ACCENTS))])

    def leaf(self):
        """Picks a colour of grass or leaves, from green to straw."""
        rng = self.rng
        if rng.random() < 0.3:
            return self.colour()
        return vary_colour(rng, LEAVES[rng.integers(len(LEAVES))])

    def frame(self, x, y, size=1.0, tilt=0.0):
        """A frame at pixel (x, y) whose unit is `size` tenths of the picture."""
        return Frame(x, y, self.unit * size, 1, tilt)

    def place(self, canvas, low, high):
        """Picks a point: any column, a row between two shares of wall or floor."""
        height, width = canvas.size
        x = self.rng.uniform(-0.05, 1.05) * width
        share = self.rng.uniform(low, high)
        if share < 0:
            return x, self.floor * (1 + share)
        return x, self.floor + share * (height - self.floor)


def paint_things(canvas, scene, things, low, high):
    """Paints some of the things, in random order."""
    rng = scene.rng
    for index in rng.integers(len(things), size=rng.integers(low, high + 1)).tolist():
        things[index](canvas, scene)


def cloth_pattern(scene, x, y):
    """Weights of a second colour: none, stripes, patches, spots or rings."""
    rng = scene.rng
    shift = rng.uniform(0, 200)
    kind = rng.integers(5)
    if kind == 0:
        return np.float32(0)
    if kind == 1:
        return smoothstep(
            np.sin(8 * x + 1.2 * sample_noise(x * 20 + shift, y * 20)), 0, 0.6
        )
    if kind == 2:
        return smoothstep(sample_noise(x * 22 + shift, y * 22), 0.1, 0.3)
    if kind == 3:
        return smoothstep(sample_noise(x * 40 + shift, y * 40), 0.9, 1.2)
    return smoothstep(np.sin(9 * np.hypot(x, y)), 0, 0.3)


def paint_toy(canvas, scene):
    """A ball, a ball of yarn or a bone."""
    rng = scene.rng
    frame = scene.frame(*scene.place(canvas, 0.1, 0.95), rng.uniform(0.3, 0.7))
    frame = Frame(frame.x, frame.y, frame.scale, 1, rng.uniform(-0.8, 0.8))
    view, x, y = frame.view(canvas, -1.7, -1.2, 1.7, 1.2)
    kind, colour = (
        rng.integers(3),
        scene.accent() if rng.random() < 0.5 else scene.colour(),
    )
    if kind == 2:
        ends = [((sx * 0.9, sy * 0.22, 0.3),) for sx in (-1, 1) for sy in (-1, 1)]
        d = limbs_distance(x, y, (((-0.9, 0, 0.2), (0.9, 0, 0.2)), *ends))
    else:
        d = np.hypot(x, y) - 1
        lines = np.sin(11 * (x + 0.4 * y * y)) if kind else np.sin(4 * x)
        colour = colour * (0.9 + 0.16 * smoothstep(lines, -0.3, 0.3))
    paint_shape(view, d, colour, 0.8)


def finish_light(canvas, scene):
    """Tints, a gradient across the picture, dapples of light, and grain of the film."""
    rng, (height, width) = scene.rng, canvas.size
    x, y = canvas.x * (1 / width) - 0.5, canvas.y * (1 / height) - 0.5
    lx, ly, _ = scene.light.direction
    glow = 1 + rng.uniform(0.05, 0.3) * (lx * x + ly * y)
    if rng.random() < 0.3:
        spots = sample_noise(x * 90 + 100 + 0 * y, y * 90 + 0 * x + 100, 10)
        glow = glow * (1 - 0.25 * smoothstep(spots, 0.0, 1.2))
    tint = 1 + rng.normal(0, 0.03, (3, 1, 1)).astype(np.float32)
    canvas.rgb[...] *= (glow * rng.uniform(0.88, 1.08)) * tint
    grain = rng.standard_normal(canvas.size, np.float32) * rng.uniform(0.004, 0.014)
    canvas.rgb[...] += grain
