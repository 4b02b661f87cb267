"""Soft shapes, light, fur, rooms and gardens, drawn with NumPy alone.

Everything is a soft shape: a function that says how far each pixel is from an
outline (negative inside). Distances are cheap to compute on a whole picture with
NumPy, they can be joined smoothly like clay, and their slope says which way a
surface faces, which is all that soft light and shadow need.

The file goes from small to large: noise, shapes, the canvas, light and fur, then the
things that stand around a pet. The pets themselves are in `drawn_pets.py`.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter

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


# ------------------------------------------------------------------ noise and shapes


@lru_cache
def noise_tile(smoothness):
    """Makes a 256 x 256 tile of smooth noise that repeats; mean 0, deviation 1."""
    white = np.random.default_rng(7).standard_normal((256, 256))
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(256)] * 2))
    blur = np.exp(-2 * (math.pi * smoothness * frequency) ** 2)
    tile = np.fft.ifft2(np.fft.fft2(white) * blur).real
    return ((tile - tile.mean()) / tile.std()).astype(np.float32)


def sample_noise(u, v, smoothness=8.0):
    """Reads the noise tile at coordinates (u, v) of any size, wrapping round."""
    tile = noise_tile(smoothness).ravel()
    rows, columns = u.astype(np.int32) & 255, v.astype(np.int32) & 255
    return tile.take(rows * 256 + columns)


def smoothstep(x, low, high):
    """Rises smoothly from 0 at `low` to 1 at `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def segment_distance(x, y, start, end):
    """Distance to a tapered rod from disc `start` to disc `end`, each (x, y, r)."""
    (x0, y0, r0), (x1, y1, r1) = start, end
    dx, dy = x1 - x0, y1 - y0
    px, py = x - x0, y - y0
    t = np.clip((px * dx + py * dy) * (1 / max(dx * dx + dy * dy, 1e-6)), 0, 1)
    px, py = px - t * dx, py - t * dy
    return np.sqrt(px * px + py * py) - (r0 + t * (r1 - r0))


def join(a, b, softness):
    """Joins two distances into one, rounding the crease between them."""
    crease = np.maximum(softness - np.abs(a - b), 0)
    return np.minimum(a, b) - crease * crease * (0.25 / softness)


def limbs_distance(x, y, limbs, softness=0.18):
    """Distance to several limbs, joined smoothly."""
    total = None
    for limb in limbs:
        pairs = zip(limb[:-1], limb[1:], strict=True) if len(limb) > 1 else [limb * 2]
        for start, end in pairs:
            d = segment_distance(x, y, start, end)
            total = d if total is None else join(total, d, softness)
    return total


def ellipse_distance(x, y, centre, radii, tilt=0.0):
    """Near enough the distance to an ellipse."""
    cos, sin = math.cos(tilt), math.sin(tilt)
    px, py = x - centre[0], y - centre[1]
    u, v = (px * cos + py * sin) / radii[0], (py * cos - px * sin) / radii[1]
    return (np.sqrt(u * u + v * v) - 1) * min(radii)


def box_distance(x, y, centre, half, corner):
    """Distance to a box with rounded corners."""
    qx = np.abs(x - centre[0]) - (half[0] - corner)
    qy = np.abs(y - centre[1]) - (half[1] - corner)
    outside = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0))
    return outside + np.minimum(np.maximum(qx, qy), 0) - corner


def triangle_distance(x, y, corners, rounding=0.0):
    """Near enough the distance to a triangle, given clockwise on the screen."""
    sides = []
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = math.hypot(x1 - x0, y1 - y0)
        sides.append(((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) * (1 / length))
    d = -join(join(-sides[0], -sides[1], 0.25), -sides[2], 0.25)
    return d - rounding


@lru_cache(4096)
def smooth_chain(chain, steps=3):
    """Puts points between those of a chain, on a curve through all of them."""
    points = np.array([chain[0], *chain, chain[-1]], float)
    out = []
    for a, b, c, d in zip(points, points[1:], points[2:], points[3:], strict=False):
        for t in np.arange(steps) / steps:
            cubic = (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
            out.append(tuple((b + 0.5 * ((c - a) * t + cubic)).tolist()))
    return (*out, tuple(points[-1].tolist()))


# ------------------------------------------------------------------------ the canvas


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
class Canvas:
    """A picture, or a window into one: colours, what is pet, and pixel positions."""

    rgb: np.ndarray  # (3, H, W), 0 to 1
    pet: np.ndarray  # (H, W), how much of each pixel is pet
    x: np.ndarray  # (1, W)
    y: np.ndarray  # (H, 1)

    @classmethod
    def blank(cls, height, width):
        """Starts an empty picture."""
        y, x = np.ogrid[:height, :width]
        rgb = np.zeros((3, height, width), np.float32)
        pet = np.zeros((height, width), np.float32)
        return cls(rgb, pet, x.astype(np.float32), y.astype(np.float32))

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
        return Canvas(rgb, pet, self.x[:, columns], self.y[rows])

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
        return window, *self.to_local(window)

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


def paint_shape(view, d, scale, colour, light, roundness=0.5, is_pet=0.0, fur=0.0):
    """Paints a shape with soft light, and a soft shadow on what lies right beside it.

    Args:
        view: canvas, or the window of one that the distances belong to.
        d: distances of shape (H, W) to the outline, in units of the drawing.
        scale: pixels per unit.
        colour: (3, 1, 1) or (3, H, W), in [0, 1].
        light: a `Light`.
        roundness: how far from the edge the surface bends, in units.
        is_pet: 1 for a part of the pet, 0 for anything else.
        fur: strokes of fur that roughen the outline, in units; 0 for a smooth one.
    """
    near = np.clip(1 - d * (1 / (0.35 * roundness + 0.03)), 0, 1)
    if is_pet:  # on the pet itself more than on the wall behind it
        near = near * (0.7 + 0.3 * view.pet)
    view.darken(0.35 * near * near)
    alpha = np.clip(0.5 - (d + fur) * scale, 0, 1)
    view.paint(alpha, colour * light.shade(d + 0.2 * fur, scale, roundness), is_pet)


def paint_line(view, d, scale, colour, strength=1.0, is_pet=None):
    """Paints a flat shape or a line, without light."""
    view.paint(strength * np.clip(0.5 - d * scale, 0, 1), colour, is_pet)


# ------------------------------------------------------------------------- the world


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


def paint_wall(canvas, scene):
    """Plaster, stripes, dots, panels or diamonds, under soft light."""
    rng, x, y = scene.rng, canvas.x, canvas.y
    step = scene.unit * rng.uniform(0.5, 1.6)
    u, v = x * (2 * math.pi / step), y * (2 * math.pi / step)
    pattern = rng.integers(5)
    if pattern == 0:
        weight = 0.5 + 0.5 * sample_noise(x * 1.1 + 0 * y, y * 1.1 + 0 * x, 12) * 0.5
    elif pattern == 1:
        weight = smoothstep(np.sin(u * 0.7) + 0 * y, -0.2, 0.2)
    elif pattern == 2:
        weight = smoothstep(np.sin(u) * np.sin(v), 0.45, 0.65)
    elif pattern == 3:
        weight = smoothstep(np.cos(u * 0.5) + 0 * y, 0.94, 0.99)
    else:
        weight = smoothstep(np.sin((u + v) / 2) * np.sin((u - v) / 2), -0.1, 0.1)
    canvas.rgb[...] = blend(
        scene.colour(), scene.colour(), weight * rng.uniform(0.3, 1)
    )


def paint_floor(canvas, scene):
    """Boards, carpet or tiles, from the skirting board to the bottom."""
    height, width = canvas.size
    view = canvas.window(0, scene.floor, width, height)
    rng, unit = scene.rng, scene.unit
    depth = (view.y - scene.floor + unit) * (1 / unit)
    across = (view.x - width / 2) * (1 / unit) / (0.6 + 0.4 * depth)
    first, second = scene.colour(), scene.colour()
    kind = rng.integers(3)
    if kind == 0:
        gap = np.abs((across * 0.9) % 1 - 0.5)
        grain = sample_noise(across * 40, depth * 8 + 0 * across, 2) * 0.1
        view.rgb[...] = first * (0.95 + grain - 0.4 * smoothstep(gap, 0.46, 0.49))
    elif kind == 1:
        fur = streaks(view.x / unit + 0 * view.y, view.y / unit + 0 * view.x, 1.2, unit)
        view.rgb[...] = first * (0.92 + 0.09 * fur)
    else:
        rows = np.log(np.maximum(depth, 0.1)) * 3
        odd = np.sin(across * 3) * np.sin(rows * 3)
        view.rgb[...] = blend(first, second, smoothstep(odd, -0.06, 0.06))
    board = canvas.window(
        0, scene.floor - unit * rng.uniform(0.3, 0.6), width, scene.floor
    )
    board.rgb[...] = scene.colour() * (0.9 + 0 * board.x)
    canvas.window(0, scene.floor - 1, width, scene.floor).darken(np.float32(0.4))


def paint_window(canvas, scene):
    """A window with panes, and curtains with folds."""
    rng, (_, width) = scene.rng, canvas.size
    half = rng.uniform(1.2, 2.0), rng.uniform(1.5, 2.4)
    frame = scene.frame(rng.uniform(0.1, 0.9) * width, scene.floor - scene.unit * 3.4)
    view, x, y = frame.view(canvas, -half[0] - 1.6, -9, half[0] + 1.6, half[1] + 0.6)
    d = box_distance(x, y, (0, 0), half, 0.1)
    sky = blend(
        colour_planes((246, 238, 218)), colour_planes((170, 196, 214)), y * 0.2 + 0.5
    )
    panes = np.minimum(np.abs(x), np.abs(y + 0.4)) - 0.07
    trim = scene.colour()
    paint_shape(view, d - 0.15, frame.scale, trim, scene.light, 0.15)
    paint_line(view, d, frame.scale, np.clip(sky, 0, 1), 1.0, 0.0)
    paint_line(view, np.maximum(panes, d), frame.scale, trim, 1.0, 0.0)
    colour, other = scene.colour(), scene.colour()
    for side in (-1, 1):
        edge = half[0] + 0.5 + 0.1 * np.sin(y * 1.5)
        cloth = np.maximum(np.abs(x * side - edge) - 0.6, y - half[1] - 0.45)
        folds = np.sin(x * 14 + 0.5 * np.sin(y))
        stripes = blend(colour, other, smoothstep(np.sin(x * 7), 0.3, 0.5))
        paint_shape(
            view, cloth, frame.scale, stripes * (0.9 + 0.15 * folds), scene.light
        )


def paint_shelf(canvas, scene):
    """A shelf with books in the colours of coats."""
    rng = scene.rng
    x0, y0 = scene.place(canvas, -0.75, -0.35)
    frame = scene.frame(x0, y0)
    length = rng.uniform(1.2, 2.4)
    view, x, y = frame.view(canvas, -length, -1.5, length, 0.5)
    across = (x + length) * 3.2
    book = across.astype(np.int32)
    tall = 0.75 + 0.5 * rng.random(40, np.float32)[book % 40]
    tones = np.stack([scene.colour()[:, 0, 0] for _ in range(7)])[book % 7]
    spine = 0.75 + 0.5 * np.sin((across % 1) * math.pi)
    d = np.maximum(np.maximum(-y - tall, y), np.abs(x) - length + 0.15)
    colour = np.moveaxis(tones, -1, 0) * spine
    paint_line(view, d, frame.scale, colour, 1.0, 0.0)
    board = box_distance(x, y, (0, 0.12), (length, 0.13), 0.04)
    paint_shape(view, board, frame.scale, scene.colour(), scene.light, 0.1)


def paint_picture(canvas, scene):
    """A framed picture on the wall."""
    rng = scene.rng
    frame = scene.frame(*scene.place(canvas, -0.8, -0.4), 1.0, rng.normal(0, 0.03))
    half = rng.uniform(0.6, 1.2), rng.uniform(0.6, 1.2)
    view, x, y = frame.view(canvas, -half[0], -half[1], half[0], half[1])
    d = box_distance(x, y, (0, 0), half, 0.05)
    paint_shape(view, d, frame.scale, scene.colour(), scene.light, 0.12)
    inside = np.maximum(d + 0.15, -9)
    hills = smoothstep(y - 0.25 * np.sin(3 * x + rng.uniform(0, 6)), -0.05, 0.05)
    paint_line(
        view, inside, frame.scale, blend(scene.colour(), scene.leaf(), hills), 1, 0
    )


def paint_cushion(canvas, scene, frame=None):
    """A cushion, plain, striped or fluffy: much like fur."""
    rng = scene.rng
    if frame is None:
        x0, y0 = scene.place(canvas, -0.05, 0.7)
        frame = scene.frame(x0, y0, rng.uniform(0.9, 2.2), rng.normal(0, 0.25))
    view, x, y = frame.view(canvas, -1.2, -1, 1.2, 1)
    bulge = 0.12 * (np.cos(x * 2.2) + np.cos(y * 2.6))
    d = box_distance(x, y, (0, 0), (1.0, 0.72), 0.3) - bulge + 0.12
    grain = streaks(x, y, rng.uniform(0, 3), frame.scale)
    fluff = rng.choice([0.0, 0.04, 0.08])
    colour = blend(scene.colour(), scene.colour(), cloth_pattern(scene, x, y))
    colour = colour * (1 + (0.04 + fluff) * grain)
    paint_shape(
        view, d + float(fluff) * 0.5 * grain, frame.scale, colour, scene.light, 0.6
    )


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


def paint_rug(canvas, scene):
    """A fluffy rug on the floor, often in the pet's own colour."""
    rng, (height, width) = scene.rng, canvas.size
    frame = scene.frame(
        width * rng.uniform(0.1, 0.9), blend(scene.floor, height, rng.uniform(0.4, 0.9))
    )
    radii = rng.uniform(2.5, 5), rng.uniform(0.8, 1.6)
    view, x, y = frame.view(canvas, -radii[0], -radii[1], radii[0], radii[1])
    d = ellipse_distance(x, y, (0, 0), radii)
    grain = streaks(x, y, rng.uniform(0, 3), frame.scale)
    weight = cloth_pattern(scene, x * 0.6, y * 1.2)
    colour = blend(scene.colour(), scene.colour(), weight) * (0.97 + 0.1 * grain)
    paint_shape(view, d, frame.scale, colour, scene.light, 0.2, 0.0, 0.08 * grain)


def paint_sofa(canvas, scene):
    """A sofa or armchair against the wall."""
    rng, (_, width) = scene.rng, canvas.size
    frame = scene.frame(width * rng.uniform(0, 1), scene.floor, rng.uniform(1.3, 1.9))
    half = rng.uniform(1.4, 2.6)
    view, x, y = frame.view(canvas, -half - 0.6, -2.2, half + 0.6, 1.2)
    grain = streaks(x, y, 1.5, frame.scale) * rng.uniform(0, 0.08)
    first, second = scene.colour(), scene.colour()
    weight = cloth_pattern(scene, x, y)
    for centre, size in (
        ((0, -0.8), (half, 1.3)),
        ((-half * 0.48, 0.15), (half * 0.5, 0.4)),
        ((half * 0.48, 0.15), (half * 0.5, 0.4)),
        ((0, 0.65), (half + 0.1, 0.35)),
        ((-half, 0.2), (0.4, 0.85)),
        ((half, 0.2), (0.4, 0.85)),
    ):
        d = box_distance(x, y, centre, size, 0.3)
        colour = blend(first, second, weight) * (1 + grain)
        paint_shape(view, d, frame.scale, colour, scene.light, 0.35)


def paint_plant(canvas, scene, low=-0.1, high=0.5):
    """A plant in a pot."""
    rng = scene.rng
    frame = scene.frame(*scene.place(canvas, low, high), rng.uniform(0.8, 1.5))
    view, x, y = frame.view(canvas, -1.7, -2.6, 1.7, 0.9)
    for angle in rng.uniform(-1.2, 1.2, rng.integers(5, 9)).tolist():
        tip = 1.8 * math.sin(angle), -0.2 - 1.9 * math.cos(angle)
        middle = tip[0] * 0.35, tip[1] * 0.6
        limb = ((0, -0.1, 0.05), (*middle, 0.2), (*tip, 0.03))
        d = limbs_distance(x, y, (limb,), 0.1)
        paint_shape(view, d, frame.scale, scene.leaf(), scene.light, 0.2)
    pot = limbs_distance(x, y, (((0, 0.0, 0.55), (0, 0.5, 0.4)),))
    paint_shape(
        view, np.maximum(pot, -y - 0.15), frame.scale, scene.colour(), scene.light
    )


def paint_toy(canvas, scene, low=0.1, high=0.95):
    """A ball, a ball of yarn or a bone."""
    rng = scene.rng
    frame = scene.frame(*scene.place(canvas, low, high), rng.uniform(0.3, 0.7))
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
    paint_shape(view, d, frame.scale, colour, scene.light, 0.8)


def paint_lamp(canvas, scene):
    """A standing lamp with a warm glow."""
    rng, (_, width) = scene.rng, canvas.size
    frame = scene.frame(width * rng.uniform(0, 1), scene.floor, rng.uniform(0.9, 1.2))
    view, x, y = frame.view(canvas, -2.2, -6.5, 2.2, 0.3)
    pole = np.maximum(np.abs(x) - 0.07, -y - 4.5)
    paint_shape(
        view, np.maximum(pole, y), frame.scale, scene.colour(), scene.light, 0.1
    )
    glow = np.clip(1 - np.hypot(x, y + 4.6) * 0.45, 0, 1)
    view.rgb[...] += glow * glow * 0.25 * colour_planes((255, 226, 170))
    shade = np.maximum(np.abs(y + 4.6) - 0.7, np.abs(x) - 0.75 - 0.4 * (y + 4.6))
    paint_shape(view, shade, frame.scale, scene.colour() * 1.15, scene.light, 0.6)


def paint_sky(canvas, scene):
    """Sky, from blue to overcast cream, with clouds."""
    rng = scene.rng
    top = colour_planes((128, 164, 196)) if rng.random() < 0.5 else scene.colour()
    low = colour_planes((238, 226, 204)) * (0.9 + 0 * canvas.x)
    canvas.rgb[...] = blend(top, low, canvas.y * (1 / max(scene.floor, 1.0)))
    u = canvas.y * (26 / scene.unit) + 0 * canvas.x
    v = canvas.x * (12 / scene.unit) + rng.uniform(0, 200) + 0 * canvas.y
    clouds = smoothstep(sample_noise(u, v, 25), 0.1, 1.4)
    canvas.paint(0.7 * clouds, colour_planes((248, 242, 232)))


def paint_lawn(canvas, scene):
    """Grass or earth, with strokes that grow towards the viewer."""
    height, width = canvas.size
    view = canvas.window(0, scene.floor, width, height)
    depth = np.clip((view.y - scene.floor) * (1 / max(height - scene.floor, 1)), 0, 1)
    u, v = (
        view.x * (14 / scene.unit) + 0 * depth,
        np.sqrt(depth + 0.02) * 60 + 0 * view.x,
    )
    weight = smoothstep(sample_noise(v, u, 3), -0.8, 0.8)
    light, dark = scene.leaf(), scene.leaf()
    view.rgb[...] = blend(light, dark, 0.6 * weight) * (0.8 + 0.25 * depth)
    patch = smoothstep(sample_noise(v * 1.8, u * 0.9, 25), 0.3, 1.2)
    view.paint(0.7 * patch, scene.colour())


def paint_hedge(canvas, scene, top=None):
    """A hedge or bush with a leafy outline."""
    rng, (_, width) = scene.rng, canvas.size
    top = scene.unit * rng.uniform(1, 4) if top is None else top
    view = canvas.window(
        0, scene.floor - top * 1.5, width, scene.floor + scene.unit * 0.3
    )
    shift, per = rng.uniform(0, 250), 1 / scene.unit
    u, v = (view.x * 9 * per + shift) + 0 * view.y, view.y * 9 * per + 0 * view.x
    leaves = sample_noise(u * 2, v * 2, 3)
    rise = (
        top * (1 + 0.25 * sample_noise(u * 0.5, 0 * u, 10)) + leaves * scene.unit * 0.12
    )
    d = (scene.floor - rise - view.y) * per
    leaf, other = scene.leaf(), scene.leaf()
    colour = blend(leaf, other, smoothstep(leaves, -0.5, 1)) * (0.85 + 0.12 * leaves)
    low = np.clip((scene.floor + 0.2 * scene.unit - view.y) * 0.5, 0, 1)
    view.paint(np.clip(0.5 - d * scene.unit, 0, 1) * low, colour)


def paint_fence(canvas, scene):
    """A wooden fence of boards with pointed or flat tops."""
    rng = scene.rng
    tall = rng.uniform(2, 4)
    frame = scene.frame(rng.uniform(0, 30), scene.floor)
    view, x, y = frame.view(canvas, -6, -tall - 0.6, 40, 0.3)
    x, y = x + 0 * y, y + 0 * x
    board = rng.uniform(0.6, 1.0)
    inside = np.abs((x / board) % 1 - 0.5)
    number = np.floor(x / board)
    top = -tall + rng.choice([0.0, 0.7]) * inside
    d = np.maximum(np.maximum(inside * board - 0.44 * board, top - y), y - 0.2)
    d = d.astype(np.float32)
    tone = sample_noise(number * 31, 0 * number, 1) * 0.08
    grain = sample_noise(number * 17 + x * 16, y * 3, 2) * 0.06
    paint_shape(
        view, d, frame.scale, scene.colour() * (0.9 + tone + grain), scene.light, 0.12
    )


def paint_tree(canvas, scene):
    """A tree with a crown of leaf clumps."""
    rng, (_, width) = scene.rng, canvas.size
    frame = scene.frame(width * rng.uniform(0, 1), scene.floor, rng.uniform(0.9, 1.5))
    view, x, y = frame.view(canvas, -3, -7.5, 3, 0.4)
    trunk = limbs_distance(x, y, (((0, 0.1, 0.5), (0.1, -2.5, 0.32), (0, -5, 0.25)),))
    bark = 1 + 0.1 * sample_noise(x * 30, y * 6, 2)
    trunk = np.maximum(trunk, y - 0.1)
    paint_shape(view, trunk, frame.scale, scene.colour() * bark, scene.light, 0.4)
    leaf = scene.leaf()
    leaves = sample_noise(x * 24, y * 24, 3)
    clumps = [
        ((float(a), float(b), 1.1),)
        for a, b in rng.uniform((-1.8, -6), (1.8, -4), (6, 2))
    ]
    d = limbs_distance(x, y, clumps, 0.4) + 0.13 * leaves
    paint_shape(view, d, frame.scale, leaf * (0.9 + 0.13 * leaves), scene.light, 0.9)


def paint_stones(canvas, scene):
    """A few stones or heaps of leaves on the ground."""
    rng = scene.rng
    for _ in range(rng.integers(1, 4)):
        frame = scene.frame(*scene.place(canvas, 0.05, 0.9), rng.uniform(0.5, 1.6))
        view, x, y = frame.view(canvas, -1.2, -0.9, 1.2, 0.6)
        d = limbs_distance(x, y, (((-0.4, 0, 0.45), (0.3, -0.05, 0.5)),), 0.3)
        grain = sample_noise(x * 30, y * 30 + frame.x, 3)
        d = np.maximum(d + 0.05 * grain, y - 0.3)
        colour = scene.colour() * (0.95 + 0.08 * grain)
        paint_shape(view, d, frame.scale, colour, scene.light, 0.5)


def paint_flowers(canvas, scene):
    """Flowers on stems, scattered over the lawn."""
    rng = scene.rng
    colour = scene.accent() if rng.random() < 0.6 else scene.colour()
    for _ in range(rng.integers(3, 8)):
        frame = scene.frame(*scene.place(canvas, 0.0, 0.95), rng.uniform(0.2, 0.4))
        view, x, y = frame.view(canvas, -1.1, -1.1, 1.1, 2.6)
        paint_line(view, np.maximum(np.abs(x) - 0.12, -y), frame.scale, scene.leaf())
        petals = np.hypot(x, y) - 0.75 - 0.2 * np.cos(5 * np.arctan2(y, x))
        paint_shape(view, petals, frame.scale, colour, scene.light, 0.4)
        paint_line(
            view, np.hypot(x, y) - 0.28, frame.scale, colour_planes((232, 190, 84))
        )


def paint_blades(canvas, scene, base, tall):
    """Blades of grass that stand in front of everything down to row `base`."""
    rng, (_, width) = scene.rng, canvas.size
    view = canvas.window(0, base - tall * 1.1, width, base)
    spacing, lean = max(3.0, scene.unit * 0.22), rng.uniform(-0.35, 0.35)
    tops = tall * rng.uniform(0.35, 1.0, 256).astype(np.float32)
    tones = rng.uniform(0.7, 1.15, 256).astype(np.float32)
    colour = scene.leaf()
    for shift in (0.0, 0.37, 0.71):
        up = (base - view.y) * (1 / tall)
        u = (view.x - lean * up * up * tall) * (1 / spacing) + shift + 40
        blade = (u + shift * 100).astype(np.int32) & 255
        taper = 1 - up * tall / tops[blade]
        d = np.abs(u % 1 - 0.5) - 0.5 * np.sqrt(np.maximum(taper, 0)) + (taper < 0)
        tone = tones[blade] * (0.62 + 0.45 * up)
        view.paint(np.clip(0.5 - d * spacing, 0, 1), colour * tone)


ROOM_THINGS = (
    paint_window, paint_shelf, paint_picture, paint_sofa, paint_lamp, paint_plant,
)  # fmt: skip
ROOM_FLOOR = (paint_rug, paint_cushion, paint_toy, paint_cushion, paint_plant)
GARDEN_THINGS = (paint_hedge, paint_fence, paint_tree, paint_hedge)
GARDEN_FLOOR = (paint_stones, paint_flowers, paint_flowers, paint_stones, paint_toy)


def paint_things(canvas, scene, things, low, high):
    """Paints some of the things, in random order."""
    rng = scene.rng
    for index in rng.integers(len(things), size=rng.integers(low, high + 1)).tolist():
        things[index](canvas, scene)


def paint_room(canvas, scene):
    """A room: wall, floor, furniture, then smaller things."""
    paint_wall(canvas, scene)
    paint_floor(canvas, scene)
    paint_things(canvas, scene, ROOM_THINGS, 2, 4)
    paint_things(canvas, scene, ROOM_FLOOR, 1, 4)


def paint_garden(canvas, scene):
    """A garden: sky, lawn, hedges and trees, then smaller things."""
    paint_sky(canvas, scene)
    paint_things(canvas, scene, GARDEN_THINGS, 2, 4)
    paint_lawn(canvas, scene)
    paint_things(canvas, scene, GARDEN_FLOOR, 1, 3)


def paint_ottoman(canvas, scene, frame):
    """A stool or the arm of a sofa, down to the bottom of the picture."""
    rng = scene.rng
    view, x, y = frame.view(canvas, -1.8, -1.0, 1.8, 30)
    half = rng.uniform(0.7, 1.5)
    body = box_distance(x, y, (0, 29.4), (half * 0.95, 29.4), 0.2)
    seat = box_distance(x, y, (0, -0.05), (half, 0.3), 0.28)
    grain = streaks(x, y, 1.5, frame.scale) * rng.uniform(0.02, 0.06)
    weight = cloth_pattern(scene, x, y)
    colour = blend(scene.colour(), scene.colour(), weight) * (1 + grain)
    paint_shape(view, body, frame.scale, colour, scene.light, 0.4)
    paint_shape(view, seat, frame.scale, colour, scene.light, 0.25)


def paint_cover(canvas, scene, is_room, x, base, size):
    """Something in front of the pet, which hides what lies behind it.

    Args:
        canvas: the picture.
        scene: its `Scene`.
        is_room: True for furniture, False for grass.
        x: column of the middle of the furniture.
        base: row above which the pet stays visible.
        size: the pet's size in pixels a unit.
    """
    rng, (height, _) = scene.rng, canvas.size
    if not is_room:
        tall = min((height - base) * rng.uniform(0.5, 1.1), height * 0.4)
        paint_blades(canvas, scene, height, tall)
    elif rng.random() < 0.5:
        frame = Frame(x, base + 0.8 * size, size * rng.uniform(0.7, 1.1))
        paint_cushion(canvas, scene, replace(frame, tilt=rng.normal(0, 0.3)))
    else:
        paint_ottoman(
            canvas, scene, Frame(x, base + size * rng.uniform(0.2, 0.5), size)
        )


def soften(canvas, radius):
    """Blurs the picture, as a lens blurs what lies behind the thing in focus."""
    image = to_uint8(canvas.rgb)
    blurred = Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius))
    canvas.rgb[...] = np.moveaxis(np.asarray(blurred, np.float32), -1, 0) / 255


def to_uint8(rgb):
    """Turns (3, H, W) colours in [0, 1] into an image, uint8 (H, W, 3)."""
    return np.moveaxis(np.clip(rgb, 0, 1) * 255 + 0.5, 0, -1).astype(np.uint8)


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
