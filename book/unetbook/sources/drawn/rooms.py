"""Rooms: wall, floor, furniture."""

import math

import numpy as np

from unetbook.sources.drawn.canvas import (
    blend,
    colour_planes,
    paint_line,
    paint_shape,
    streaks,
)
from unetbook.sources.drawn.scenes import cloth_pattern, paint_things, paint_toy
from unetbook.sources.drawn.shapes import (
    box_distance,
    ellipse_distance,
    limbs_distance,
    sample_noise,
    smoothstep,
)


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
    paint_shape(view, d - 0.15, trim, 0.15)
    paint_line(view, d, np.clip(sky, 0, 1), 1.0, 0.0)
    paint_line(view, np.maximum(panes, d), trim, 1.0, 0.0)
    colour, other = scene.colour(), scene.colour()
    for side in (-1, 1):
        edge = half[0] + 0.5 + 0.1 * np.sin(y * 1.5)
        cloth = np.maximum(np.abs(x * side - edge) - 0.6, y - half[1] - 0.45)
        folds = np.sin(x * 14 + 0.5 * np.sin(y))
        stripes = blend(colour, other, smoothstep(np.sin(x * 7), 0.3, 0.5))
        paint_shape(view, cloth, stripes * (0.9 + 0.15 * folds))


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
    paint_line(view, d, colour, 1.0, 0.0)
    board = box_distance(x, y, (0, 0.12), (length, 0.13), 0.04)
    paint_shape(view, board, scene.colour(), 0.1)


def paint_picture(canvas, scene):
    """A framed picture on the wall."""
    rng = scene.rng
    frame = scene.frame(*scene.place(canvas, -0.8, -0.4), 1.0, rng.normal(0, 0.03))
    half = rng.uniform(0.6, 1.2), rng.uniform(0.6, 1.2)
    view, x, y = frame.view(canvas, -half[0], -half[1], half[0], half[1])
    d = box_distance(x, y, (0, 0), half, 0.05)
    paint_shape(view, d, scene.colour(), 0.12)
    inside = np.maximum(d + 0.15, -9)
    hills = smoothstep(y - 0.25 * np.sin(3 * x + rng.uniform(0, 6)), -0.05, 0.05)
    paint_line(view, inside, blend(scene.colour(), scene.leaf(), hills), 1, 0)


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
    paint_shape(view, d + float(fluff) * 0.5 * grain, colour, 0.6)


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
    paint_shape(view, d, colour, 0.2, 0.0, 0.08 * grain)


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
        paint_shape(view, d, colour, 0.35)


def paint_plant(canvas, scene):
    """A plant in a pot."""
    rng = scene.rng
    frame = scene.frame(*scene.place(canvas, -0.1, 0.5), rng.uniform(0.8, 1.5))
    view, x, y = frame.view(canvas, -1.7, -2.6, 1.7, 0.9)
    for angle in rng.uniform(-1.2, 1.2, rng.integers(5, 9)).tolist():
        tip = 1.8 * math.sin(angle), -0.2 - 1.9 * math.cos(angle)
        middle = tip[0] * 0.35, tip[1] * 0.6
        limb = ((0, -0.1, 0.05), (*middle, 0.2), (*tip, 0.03))
        d = limbs_distance(x, y, (limb,), 0.1)
        paint_shape(view, d, scene.leaf(), 0.2)
    pot = limbs_distance(x, y, (((0, 0.0, 0.55), (0, 0.5, 0.4)),))
    paint_shape(view, np.maximum(pot, -y - 0.15), scene.colour())


def paint_lamp(canvas, scene):
    """A standing lamp with a warm glow."""
    rng, (_, width) = scene.rng, canvas.size
    frame = scene.frame(width * rng.uniform(0, 1), scene.floor, rng.uniform(0.9, 1.2))
    view, x, y = frame.view(canvas, -2.2, -6.5, 2.2, 0.3)
    pole = np.maximum(np.abs(x) - 0.07, -y - 4.5)
    paint_shape(view, np.maximum(pole, y), scene.colour(), 0.1)
    glow = np.clip(1 - np.hypot(x, y + 4.6) * 0.45, 0, 1)
    view.rgb[...] += glow * glow * 0.25 * colour_planes((255, 226, 170))
    shade = np.maximum(np.abs(y + 4.6) - 0.7, np.abs(x) - 0.75 - 0.4 * (y + 4.6))
    paint_shape(view, shade, scene.colour() * 1.15, 0.6)


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
    paint_shape(view, body, colour, 0.4)
    paint_shape(view, seat, colour, 0.25)


ROOM_THINGS = (
    paint_window, paint_shelf, paint_picture, paint_sofa, paint_lamp, paint_plant,
)  # fmt: skip
ROOM_FLOOR = (paint_rug, paint_cushion, paint_toy, paint_cushion, paint_plant)


def paint_room(canvas, scene):
    """A room: wall, floor, furniture, then smaller things."""
    paint_wall(canvas, scene)
    paint_floor(canvas, scene)
    paint_things(canvas, scene, ROOM_THINGS, 2, 4)
    paint_things(canvas, scene, ROOM_FLOOR, 1, 4)
