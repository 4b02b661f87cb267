"""A whole picture: scene, pet, whatever hides it, light, trimap and head box."""

import math
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter

from unetbook.sources.drawn.canvas import COATS, Canvas, Frame, soften, to_uint8
from unetbook.sources.drawn.gardens import paint_blades, paint_garden
from unetbook.sources.drawn.heads import paint_head
from unetbook.sources.drawn.pets import draw_pet, paint_body, paint_collar
from unetbook.sources.drawn.rooms import paint_cushion, paint_ottoman, paint_room
from unetbook.sources.drawn.scenes import Scene, finish_light
from unetbook.sources.drawn.shapes import smoothstep

BORDER = 0.0235  # half the width of the border band, as a share of the picture's size
SIDES = (120, 240)  # shortest and longest side of a picture, in pixels
ASPECTS = (0.7, 1.45)  # width over height


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


def hide_part(canvas, scene, pet, is_room):
    """Puts furniture or grass in front of a part of the pet, but not of its face."""
    frame, (low, high) = pet.frame, pet.pose.extent
    ground = min(frame.y + pet.pose.ground * frame.scale, canvas.size[0])
    x, _ = frame.to_picture(scene.rng.uniform(low, high), 0)
    paint_cover(canvas, scene, is_room, x, ground - 0.9 * frame.scale, frame.scale)


def draw_canvas(rng, breed, size):
    """Paints scene, pet, whatever hides it, and the light; returns canvas and pet."""
    pet = draw_pet(rng, breed, size)
    canvas = Canvas.blank(*size, pet.light)
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
