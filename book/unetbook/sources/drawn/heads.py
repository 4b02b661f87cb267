"""The head of a pet: ears, skull, muzzle, eyes, nose, mouth and whiskers."""

from dataclasses import replace

import numpy as np

from unetbook.sources.drawn.canvas import (
    blend,
    colour_planes,
    paint_line,
    paint_shape,
    streaks,
)
from unetbook.sources.drawn.pets import paint_fur
from unetbook.sources.drawn.poses import Layer
from unetbook.sources.drawn.shapes import (
    ellipse_distance,
    limbs_distance,
    smooth_chain,
    smoothstep,
    triangle_distance,
)

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
        paint_shape(view, d, colour, 0.3, 1.0, fur)
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
    paint_shape(view, d, colour, 0.75, 1.0, fur)


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
    paint_shape(view, d, nose, 0.15, 1.0)
    shine = ellipse_distance(x, y, (-0.05, 0.25 if is_cat else 0.14), (0.07, 0.035))
    paint_line(view, shine, colour_planes((255, 245, 240)), 0.6)


def paint_mouth(canvas, pet):
    """Paints a smile, and the tongue of some dogs."""
    frame, is_cat = pet.head, pet.breed.species == "cat"
    view, x, y = frame.view(canvas, -0.6, -0.05, 0.6, 1.3)
    top, dip, wide = (0.33, 0.53, 0.21) if is_cat else (0.3, 0.66, 0.3)
    if not is_cat and pet.gaze > -0.2 and pet.mood == "awake":
        tongue = (((0.0, dip + 0.05, 0.15), (0.02, dip + 0.3, 0.16)),)
        d = limbs_distance(x, y, tongue)
        pink = colour_planes((214, 112, 112))
        paint_shape(view, d, pink, 0.2, 1.0)
        fold = np.maximum(np.abs(x - 0.01) - 0.012, np.abs(y - dip - 0.15) - 0.18)
        paint_line(view, fold, pink * 0.7)
    thick = max(0.028, 0.55 / frame.scale)
    for side in (-1, 1):
        smile = ((0, top), (0, dip - 0.04), (side * wide * 0.5, dip + 0.03))
        smile = tuple((x, y, thick) for x, y in (*smile, (side * wide, dip - 0.05)))
        d = limbs_distance(x, y, (smooth_chain(smile, 2),), 0.02)
        paint_line(view, d, colour_planes((58, 40, 38)), 0.85)


def paint_eye(canvas, pet, side):
    """Paints an open eye: rim, iris, pupil, and the light in it."""
    frame, is_cat = pet.head, pet.breed.species == "cat"
    (cx, cy), radii = EYES[pet.breed.species]
    cx *= side
    view, x, y = frame.view(canvas, cx - 0.36, cy - 0.36, cx + 0.36, cy + 0.36)
    d = ellipse_distance(x, y, (cx, cy), radii, side * (-0.28 if is_cat else 0.1))
    paint_line(view, d - 0.045, colour_planes((34, 26, 28)))
    iris = colour_planes(pet.breed.eyes)
    fall = smoothstep(y - cy, -0.2, 0.2)
    paint_line(view, d, iris * (0.55 + 0.65 * fall))
    look = cx + 0.05 * pet.gaze
    pupil = (pet.pupil, 0.17) if is_cat else (0.1, 0.105)
    d_pupil = ellipse_distance(x, y, (look, cy), pupil)
    paint_line(view, np.maximum(d_pupil, d), colour_planes((18, 14, 18)))
    for dx, dy, radius, strength in (
        (-0.06, -0.08, 0.055, 1.0),
        (0.05, 0.07, 0.028, 0.7),
    ):
        spark = np.hypot(x - look - dx, y - cy - dy) - radius
        paint_line(view, spark, colour_planes((255, 255, 250)), strength)


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
    paint_line(view, d - 0.05, pet.coat.third, 0.25)
    paint_line(view, d, colour_planes((30, 20, 22)))


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
            paint_line(view, d, pale, 0.6)


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
