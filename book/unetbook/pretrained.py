"""Trained weights that come with the book, checked by the hash on their card."""

import json

import keras
import numpy as np
from keras import layers

from unetbook import cards
from unetbook.blocks import conv_block, decoder_block
from unetbook.cards import CARD_KEYS, REMEDY, read_card
from unetbook.encoders import efficientnet_lite0
from unetbook.files import describe_file, write_json, write_whole
from unetbook.model import build_unet, check_image_size

ENCODER_DIR = cards.WEIGHTS_DIR / "encoder"
ENCODER = "efficientnet_lite0"
FILTERS = (16, 24, 40, 64, 112, 320)  # of the decoder's levels, and the encoder's end


def build_pretrained_unet(image_size, num_classes=3):
    """Build a U-Net whose encoder has learnt from a million photographs of ImageNet.

    The encoder is EfficientNet-Lite0 (Tan & Le, 2019) and comes with the book; the
    decoder is made of the course's own `decoder_block`, with random weights.

    Built in chapter 11.

    Args:
        image_size: Side of the square picture in pixels, or `(height, width)`; a
            multiple of 32.
        num_classes: Channels of the output.

    Returns:
        An uncompiled `keras.Model` from float32 images `(batch, height, width, 3)` in
        [0, 1] to float32 probabilities `(batch, height, width, num_classes)`.

    Raises:
        ValueError: If `image_size` is no multiple of 32, or the encoder's weights are
            missing or changed.
    """
    height, width = check_image_size(image_size, FILTERS)
    inputs = keras.Input((height, width, 3), name="image")
    features, skips = efficientnet_lite0(inputs)
    load_encoder(keras.Model(inputs, features))
    skips.insert(0, conv_block(inputs, FILTERS[0]))  # the encoder begins at half size
    x = layers.Dropout(0.2)(features)
    for level_filters in reversed(FILTERS[:-1]):
        x = decoder_block(x, skips.pop(), level_filters)
    logits = layers.Conv2D(num_classes, 1, name="logits")(x)  # (B, H, W, num_classes)
    probabilities = layers.Softmax(dtype="float32", name="probabilities")(logits)
    return keras.Model(inputs, probabilities, name="pretrained_unet")


def load_encoder(encoder):
    """Give an encoder its ImageNet weights.

    Args:
        encoder: A model of `efficientnet_lite0` alone, from images to feature maps.

    Raises:
        ValueError: If the weights are missing, changed or of another network.
    """
    card = json.loads((ENCODER_DIR / f"{ENCODER}.json").read_text())
    assign_weights(encoder, ENCODER_DIR / f"{ENCODER}.npz", card)


def save_pretrained(model, name, card):
    """Write the model's weights as float16, with a card that describes them.

    Args:
        model: A model from `build_unet(card["image_size"], filters=card["filters"])`.
        name: Name of both files, `weights/NAME.npz` and `weights/NAME.json`.
        card: A dictionary that JSON can hold with at least `filters`, `image_size`,
            `data`, `licence`, `recipe`, `scores` and `limits`.

    Returns:
        The card as written, with `parameters`, `bytes` and `sha256`.

    Raises:
        ValueError: If a key is missing, the card describes another network, or a
            weight does not fit into float16.
    """
    missing = [key for key in CARD_KEYS if key not in card]
    if missing:
        raise ValueError(f"card lacks {', '.join(missing)}. It needs {CARD_KEYS}.")
    expected = build_from_card(card)
    if [w.shape for w in model.weights] != [w.shape for w in expected.weights]:
        raise ValueError(
            f"card describes a network of image_size={card['image_size']} and filters="
            f"{card['filters']}, and the model is another. Correct the card."
        )
    cards.WEIGHTS_DIR.mkdir(parents=True, exist_ok=True)
    file = cards.WEIGHTS_DIR / f"{name}.npz"
    write_halves(file, map(keras.ops.convert_to_numpy, model.weights))
    card = {**card, "parameters": model.count_params(), **describe_file(file)}
    write_json(cards.WEIGHTS_DIR / f"{name}.json", card)
    return card


def load_pretrained(name="drawn"):
    """Build the U-Net of a card in `weights/` and give it its trained weights.

    Args:
        name: Name of the weights, as `list_pretrained` shows.

    Returns:
        A `keras.Model`, not compiled, from float32 images `(batch, height, width, 3)`
        in [0, 1] to float32 probabilities.

    Raises:
        ValueError: If there are no such weights, or they are not those of the card.
    """
    card = read_card(name)
    model = build_from_card(card)
    assign_weights(model, cards.WEIGHTS_DIR / f"{name}.npz", card)
    return model


def build_from_card(card):
    """Build the network that a card describes, with random weights."""
    if card.get("encoder"):
        return build_pretrained_unet(card["image_size"])
    return build_unet(card["image_size"], filters=tuple(card["filters"]))


def replace_head(model, num_classes):
    """Give a U-Net a last layer for other classes, and keep all that comes before it.

    Args:
        model: A U-Net of `build_unet` or `build_pretrained_unet`, or a loaded one.
        num_classes: Channels of the new output.

    Returns:
        An uncompiled `keras.Model` that shares all other layers, and their weights,
        with `model`; the new layer's weights are random.
    """
    features = model.get_layer("logits").input
    logits = layers.Conv2D(num_classes, 1, name="logits")(features)
    probabilities = layers.Softmax(dtype="float32", name="probabilities")(logits)
    return keras.Model(model.input, probabilities, name=model.name)


def write_halves(file, weights):
    """Write arrays as float16.

    Raises:
        ValueError: If a weight does not fit into float16.
    """
    with np.errstate(over="ignore"):
        halves = [weight.astype("float16") for weight in weights]
    if not all(np.isfinite(half).all() for half in halves):
        raise ValueError("model has a weight beyond float16's range, 65,504.")
    write_whole(file, lambda path: np.savez(path, *halves))


def assign_weights(model, file, card):
    """Give a model the weights of a file, which must be the one of its card.

    Raises:
        ValueError: If the file is missing, or it is not that of the card.
    """
    if not file.is_file():
        raise ValueError(f"{file} is missing. {REMEDY}")
    found = describe_file(file)["sha256"]
    if found != card["sha256"]:
        raise ValueError(
            f"{file} has the SHA-256 {found[:12]}..., and its card says "
            f"{card['sha256'][:12]}...: the file was changed or cut short. {REMEDY}"
        )
    with np.load(file, allow_pickle=False) as arrays:
        for number, weight in enumerate(model.weights):
            weight.assign(arrays[f"arr_{number}"].astype("float32"))
