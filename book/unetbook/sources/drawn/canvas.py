"""The canvas, its colours, its frames, and the light that falls on what is painted."""

import math
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from unetbook.sources.drawn.shapes import sample_noise

# Colours (red, green, blue) of coats. Walls, rugs, sofas and cushions take theirs
# from the same table, so that colour alone does not tell a pet from its background.
COATS = {
    "ginger": (216, 136, 66),
    "rust": (158, 86, 48),
    "gold": (220, 172, 100),
    "cream": (240, 218, 182),
    "snow": (243, 239, 231),
    "sand": (204, 172, 130),
    "fawn": (178, 134, 94),
    "cocoa": (110, 74, 52),
    "umber": (78, 54, 42),
    "ink": (46, 42, 46),
    "smoke": (122, 122, 130),
    "silver": (184, 184, 188),
}
ACCENTS = (
    (196, 72, 62),
    (66, 128, 138),
    (88, 108, 160),
    (214, 168, 74),
    (150, 84, 122),
)
LEAVES = ((98, 122, 62), (134, 146, 76), (176, 158, 92), (150, 118, 70), (108, 110, 84))


def colour_planes(colour):
    """Turns (red, green, blue) in 0 to 255 into a (3, 1, 1) array in [0, 1]."""
    return np.asarray(colour, np.float32).reshape(3, 1, 1) / 255


def vary_colour(rng, colour):
    """Makes a colour a little lighter or darker, warmer or cooler; (3, 1, 1)."""
    warmth = rng.normal(0, 6)
    shift = np.array([warmth, 0.2 * warmth, -warmth]) + rng.normal(0, 2, 3)
    return colour_planes(
        np.clip(np.multiply(colour, math.exp(rng.normal(0, 0.1))) + shift, 8, 250)
    )


def blend(first, second, weight):
    """Mixes two colours; weight 1 gives the second."""
    return first + weight * (second - first)


@dataclass(frozen=True)
class Light:
    """The direction the light comes from and the tints of light and shade."""

    direction: tuple
    warm: np.ndarray
    cool: np.ndarray

    def shade(self, distance, scale, roundness):
        """Says how a rounded shape catches the light: (3, H, W) factors."""
        slope_y, slope_x = np.gradient(distance)
        edge = np.clip(1 + distance / roundness, 0, 1)
        lx, ly, lz = self.direction
        facing = (slope_x * lx + slope_y * ly) * (edge * scale)
        lit = np.clip(facing + lz * np.sqrt(1 - 0.92 * edge * edge), 0, 1)
        return blend(self.cool, self.warm, lit)


@dataclass(frozen=True)
class Canvas:
    """A picture, or a window into one: colours, what is pet, and pixel positions.

    `x` is one row and `y` one column; `+ 0 * y` spreads a row over all of them.
    """

    rgb: np.ndarray  # (3, H, W), 0 to 1
    pet: np.ndarray  # (H, W), how much of each pixel is pet
    x: np.ndarray  # (1, W)
    y: np.ndarray  # (H, 1)
    light: Light
    scale: float = 1.0  # pixels in one unit of what is being drawn

    @classmethod
    def blank(cls, height, width, light):
        """Starts an empty picture."""
        y, x = np.ogrid[:height, :width]
        rgb = np.zeros((3, height, width), np.float32)
        pet = np.zeros((height, width), np.float32)
        return cls(rgb, pet, x.astype(np.float32), y.astype(np.float32), light)

    @property
    def size(self):
        """Height and width in pixels."""
        return self.pet.shape

    def window(self, left, top, right, bottom):
        """Returns the part of the picture inside a box (at least two pixels)."""
        height, width = self.size
        left = min(max(int(left), 0), width - 2)
        top = min(max(int(top), 0), height - 2)
        rows = slice(top, max(min(int(bottom) + 1, height), top + 2))
        columns = slice(left, max(min(int(right) + 1, width), left + 2))
        rgb, pet = self.rgb[:, rows, columns], self.pet[rows, columns]
        return Canvas(rgb, pet, self.x[:, columns], self.y[rows], self.light)

    def paint(self, alpha, colour, is_pet=0.0):
        """Lays a colour over the picture; `is_pet=None` leaves the trimap alone."""
        self.rgb[...] += alpha * (colour - self.rgb)
        if is_pet is not None:
            self.pet[...] += alpha * (is_pet - self.pet)

    def darken(self, amount):
        """Darkens by a share of the light, a little less in blue."""
        self.rgb[...] *= 1 - amount * colour_planes((255, 250, 225))


@dataclass(frozen=True)
class Frame:
    """Where a drawing's own coordinates lie in the picture."""

    x: float
    y: float
    scale: float
    flip: int = 1
    tilt: float = 0.0

    def to_picture(self, x, y):
        """Maps a point of the drawing to pixels."""
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        x = x * self.flip
        across, down = x * cos - y * sin, x * sin + y * cos
        return self.x + across * self.scale, self.y + down * self.scale

    def to_local(self, canvas):
        """Maps every pixel of a canvas to the drawing's coordinates."""
        cos, sin = math.cos(self.tilt) / self.scale, math.sin(self.tilt) / self.scale
        px, py = canvas.x - self.x, canvas.y - self.y
        return (px * cos + py * sin) * self.flip, py * cos - px * sin

    def view(self, canvas, left, top, right, bottom):
        """Cuts the window that holds a box of the drawing; adds its coordinates."""
        corners = [(left, top), (left, bottom), (right, top), (right, bottom)]
        xs, ys = zip(*[self.to_picture(*corner) for corner in corners], strict=True)
        window = canvas.window(min(xs) - 2, min(ys) - 2, max(xs) + 2, max(ys) + 2)
        return replace(window, scale=self.scale), *self.to_local(window)

    def view_limbs(self, canvas, limbs, margin=0.25):
        """Cuts the window that holds some limbs; adds its coordinates."""
        discs = [disc for limb in limbs for disc in limb]
        reach = margin + max(r for _, _, r in discs)
        xs, ys = [x for x, _, _ in discs], [y for _, y, _ in discs]
        box = (min(xs) - reach, min(ys) - reach, max(xs) + reach, max(ys) + reach)
        return self.view(canvas, *box)

    def inner(self, x, y, scale, tilt):
        """Returns the frame of a part that sits at (x, y), turned and scaled."""
        px, py = self.to_picture(x, y)
        return Frame(px, py, self.scale * scale, self.flip, self.tilt + tilt)


def draw_light(rng):
    """Picks a light: from above, left or right, warm, neutral or cool."""
    side = rng.uniform(-0.75, 0.75)
    above = -rng.uniform(0.45, 0.75)
    length = math.hypot(side, above, 0.75)
    warmth = rng.uniform(-0.05, 0.1)
    power = rng.uniform(1.0, 1.16)
    warm = np.array([1 + warmth, 1, 1 - 1.3 * warmth], np.float32) * power
    cool = np.array([0.52, 0.5, 0.55], np.float32) * rng.uniform(0.9, 1.15)
    planes = warm.reshape(3, 1, 1), cool.reshape(3, 1, 1)
    return Light((side / length, above / length, 0.75 / length), *planes)


def streaks(x, y, flow, scale):
    """Noise drawn out into strokes of fur that lie at the angle `flow`."""
    bend = 0.3 * sample_noise(x * 9 + 50, y * 9, 10)
    cos, sin = math.cos(flow), math.sin(flow)
    width = max(1.5, 0.04 * scale)
    along, across = x * cos + y * sin, y * cos - x * sin + 0.3 * bend
    u, v = along * (2 * scale / (7 * width)), across * (3 * scale / width)
    return sample_noise(u + 0.6 * v % 3, v, 1.5)


def paint_shape(view, d, colour, roundness=0.5, is_pet=0.0, fur=0.0):
    """Paints a shape with soft light, and a soft shadow on what lies right beside it.

    Args:
        view: canvas, or the window of one that the distances belong to.
        d: distances of shape (H, W) to the outline, in units of the drawing.
        colour: (3, 1, 1) or (3, H, W), in [0, 1].
        roundness: how far from the edge the surface bends, in units.
        is_pet: 1 for a part of the pet, 0 for anything else.
        fur: strokes of fur that roughen the outline, in units; 0 for a smooth one.
    """
    near = np.clip(1 - d * (1 / (0.35 * roundness + 0.03)), 0, 1)
    if is_pet:  # on the pet itself more than on the wall behind it
        near = near * (0.7 + 0.3 * view.pet)
    view.darken(0.35 * near * near)
    alpha = np.clip(0.5 - (d + fur) * view.scale, 0, 1)
    lit = view.light.shade(d + 0.2 * fur, view.scale, roundness)
    view.paint(alpha, colour * lit, is_pet)


def paint_line(view, d, colour, strength=1.0, is_pet=None):
    """Paints a flat shape or a line, without light."""
    view.paint(strength * np.clip(0.5 - d * view.scale, 0, 1), colour, is_pet)


def soften(canvas, radius):
    """Blurs the picture, as a lens blurs what lies behind the thing in focus."""
    image = to_uint8(canvas.rgb)
    blurred = Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius))
    canvas.rgb[...] = np.moveaxis(np.asarray(blurred, np.float32), -1, 0) / 255


def to_uint8(rgb):
    """Turns (3, H, W) colours in [0, 1] into an image, uint8 (H, W, 3)."""
    return np.moveaxis(np.clip(rgb, 0, 1) * 255 + 0.5, 0, -1).astype(np.uint8)
