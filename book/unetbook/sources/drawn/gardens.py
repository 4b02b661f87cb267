"""Gardens: sky, lawn, hedges, trees, and grass in front of a pet."""

import numpy as np

from unetbook.sources.drawn.canvas import blend, colour_planes, paint_line, paint_shape
from unetbook.sources.drawn.scenes import paint_things, paint_toy
from unetbook.sources.drawn.shapes import limbs_distance, sample_noise, smoothstep


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


def paint_hedge(canvas, scene):
    """A hedge or bush with a leafy outline."""
    rng, (_, width) = scene.rng, canvas.size
    top = scene.unit * rng.uniform(1, 4)
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
    paint_shape(view, d, scene.colour() * (0.9 + tone + grain), 0.12)


def paint_tree(canvas, scene):
    """A tree with a crown of leaf clumps."""
    rng, (_, width) = scene.rng, canvas.size
    frame = scene.frame(width * rng.uniform(0, 1), scene.floor, rng.uniform(0.9, 1.5))
    view, x, y = frame.view(canvas, -3, -7.5, 3, 0.4)
    trunk = limbs_distance(x, y, (((0, 0.1, 0.5), (0.1, -2.5, 0.32), (0, -5, 0.25)),))
    bark = 1 + 0.1 * sample_noise(x * 30, y * 6, 2)
    trunk = np.maximum(trunk, y - 0.1)
    paint_shape(view, trunk, scene.colour() * bark, 0.4)
    leaf = scene.leaf()
    leaves = sample_noise(x * 24, y * 24, 3)
    clumps = [
        ((float(a), float(b), 1.1),)
        for a, b in rng.uniform((-1.8, -6), (1.8, -4), (6, 2))
    ]
    d = limbs_distance(x, y, clumps, 0.4) + 0.13 * leaves
    paint_shape(view, d, leaf * (0.9 + 0.13 * leaves), 0.9)


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
        paint_shape(view, d, colour, 0.5)


def paint_flowers(canvas, scene):
    """Flowers on stems, scattered over the lawn."""
    rng = scene.rng
    colour = scene.accent() if rng.random() < 0.6 else scene.colour()
    for _ in range(rng.integers(3, 8)):
        frame = scene.frame(*scene.place(canvas, 0.0, 0.95), rng.uniform(0.2, 0.4))
        view, x, y = frame.view(canvas, -1.1, -1.1, 1.1, 2.6)
        paint_line(view, np.maximum(np.abs(x) - 0.12, -y), scene.leaf())
        petals = np.hypot(x, y) - 0.75 - 0.2 * np.cos(5 * np.arctan2(y, x))
        paint_shape(view, petals, colour, 0.4)
        paint_line(view, np.hypot(x, y) - 0.28, colour_planes((232, 190, 84)))


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


GARDEN_THINGS = (paint_hedge, paint_fence, paint_tree, paint_hedge)
GARDEN_FLOOR = (paint_stones, paint_flowers, paint_flowers, paint_stones, paint_toy)


def paint_garden(canvas, scene):
    """A garden: sky, lawn, hedges and trees, then smaller things."""
    paint_sky(canvas, scene)
    paint_things(canvas, scene, GARDEN_THINGS, 2, 4)
    paint_lawn(canvas, scene)
    paint_things(canvas, scene, GARDEN_FLOOR, 1, 3)
