"""Noise and soft shapes, with NumPy alone.

Everything is a soft shape: a function that says how far each pixel is from an
outline (negative inside). Distances are cheap to compute on a whole picture with
NumPy, they can be joined smoothly like clay, and their slope says which way a
surface faces, which is all that soft light and shadow need.
"""

import math
from functools import lru_cache

import numpy as np


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
