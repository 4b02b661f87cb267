"""Any picture in, a mask of its own size out; and trained weights, checked by hash."""

import hashlib
import json
from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from unetbook.metrics import confusion_matrix
from unetbook.model import build_unet
from unetbook.training import write_json, write_whole

WEIGHTS_DIR = Path(__file__).parent / "weights"


def predict_masks(model, images):
    """Predict the most probable class of every pixel.

    Built in chapter 8.

    Args:
        model: A model from images to probabilities.
        images: float32 `(batch, height, width, 3)` in [0, 1].

    Returns:
        int32 masks `(batch, height, width)`.

    Raises:
        ValueError: If `images` is a single picture or not in [0, 1].
    """
    check_images(images)
    probabilities = model.predict(images, batch_size=16, verbose=0)  # (B, H, W, C)
    return probabilities.argmax(axis=-1).astype("int32")  # (B, H, W)


def check_images(images):
    """Raise a `ValueError` unless these are images `(B, H, W, 3)` in [0, 1]."""
    images = keras.ops.convert_to_numpy(images)
    if images.ndim != 4:
        raise ValueError(
            f"images has shape {images.shape}, expected (batch, height, width, 3). "
            "For one picture use image[None]; for one of any size, segment_picture."
        )
    if images.size and not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(
            f"images holds values from {images.min()} to {images.max()}, expected 0 to "
            "1. Divide bytes by 255, or use unetbook.data.preprocess."
        )


def evaluate_masks(model, dataset):
    """Count truth against prediction over a whole data set.

    Args:
        model: A model from images to probabilities.
        dataset: Batches of `(images, masks)`.

    Returns:
        int64 `(num_classes, num_classes)`; rows are the truth, columns the prediction.
    """
    return evaluate_pictures(model, dataset).sum(axis=0)


def evaluate_pictures(model, dataset):
    """Count truth against prediction, one confusion matrix a picture.

    Args:
        model: A model from images to probabilities.
        dataset: Batches of `(images, masks)`, not shuffled if the order matters.

    Returns:
        int64 `(pictures, num_classes, num_classes)`, in the data set's order.

    Raises:
        ValueError: If the data set is empty.
    """
    num_classes = model.output_shape[-1]
    matrices = []
    for images, masks in dataset:
        masks = keras.ops.convert_to_numpy(masks)
        for mask, pred_mask in zip(masks, predict_masks(model, images), strict=True):
            matrices.append(confusion_matrix(mask, pred_mask, num_classes))
    if not matrices:
        raise ValueError("dataset is empty. Give batches of (images, masks).")
    return np.stack(matrices)


def segment_picture(model, picture):
    """Segment one picture of any size, and return everything at the picture's size.

    The picture is squeezed to the model's square, as all training pictures were; the
    probabilities are stretched back and only then compared.

    Args:
        model: A model from images to probabilities.
        picture: What `read_picture` takes.

    Returns:
        `(mask, probabilities)`: int32 `(height, width)` and float32 `(height, width,
        num_classes)` in [0, 1].

    Raises:
        ValueError: If the picture cannot be read.
    """
    pixels = read_picture(picture)
    height, width = pixels.shape[:2]
    _, model_height, model_width, _ = model.input_shape
    small = squeeze_picture(pixels, model_height, model_width)
    images = small[None].astype("float32") / 255  # (1, H, W, 3)
    probabilities = model.predict_on_batch(images)[0]
    channels = np.moveaxis(probabilities, -1, 0).astype("float32")
    channels = [squeeze_picture(channel, height, width) for channel in channels]
    probabilities = np.stack(channels, axis=-1)  # (height, width, num_classes)
    return probabilities.argmax(axis=-1).astype("int32"), probabilities


def squeeze_picture(pixels, height, width):
    """Resize a uint8 picture or a float32 channel, bilinear and antialiased."""
    # Pillow's bilinear filter grows with the pictures it shrinks: it is antialiased.
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def read_picture(picture):
    """Read a picture from an array, a file or PIL, whatever its mode.

    Transparent parts become white; a photograph that the camera marked as turned is
    turned back; 16-bit pictures are brought to 8 bits.

    Args:
        picture: A path, a PIL image, or an array `(height, width)`, `(height, width,
            1)`, `(height, width, 3)` or `(height, width, 4)` of bytes, of uint16, of
            booleans, of integers in 0 to 255, or of floats in [0, 1].

    Returns:
        uint8 `(height, width, 3)`.

    Raises:
        ValueError: If the file cannot be read or the array is no picture.
    """
    if isinstance(picture, str | Path):
        picture = open_picture(Path(picture))
    if isinstance(picture, Image.Image):
        picture = unpack_picture(picture)
    pixels = to_bytes(to_array(picture))
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3, 4) or not pixels.size:
        raise ValueError(
            f"picture has shape {pixels.shape}, expected (height, width), or (height, "
            "width, channels) with 1, 3 or 4 channels, and at least one pixel. Take "
            "one picture out of a batch; put channels last."
        )
    if pixels.shape[-1] == 4:  # blend with white
        alpha = pixels[..., 3:] / 255
        pixels = np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype("uint8")
    return np.array(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def to_array(picture):
    """Return the numbers of an array or a tensor, or raise a `ValueError`."""
    if not hasattr(picture, "shape") and not isinstance(picture, list | tuple):
        raise ValueError(
            f"picture is a {type(picture).__name__}. Give an array, the path of a "
            "file, or a PIL image."
        )
    array = keras.ops.convert_to_numpy(picture)
    if array.dtype.kind not in "buif":
        raise ValueError(f"picture is an array of {array.dtype}, expected numbers.")
    return array


def open_picture(path):
    """Open and decode a picture file, or raise a `ValueError` that names it."""
    if not path.is_file():
        raise ValueError(f"picture={str(path)!r}: there is no such file.")
    try:
        image = Image.open(path)
        image.load()
    except UnidentifiedImageError as error:
        raise ValueError(
            f"picture={str(path)!r} is not a picture that Pillow can read. Save it as "
            "JPEG or PNG (photographs from a telephone may be HEIC)."
        ) from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"picture={str(path)!r} cannot be decoded ({error}). The file may be cut "
            "short or too large; save it again as JPEG or PNG."
        ) from error
    return image


def unpack_picture(image):
    """Turn a PIL image upright and return its pixels, RGB, RGBA or grey."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16-bit grey, which PIL may hold in 32 bits
        return np.asarray(image).astype("uint16")
    if image.mode == "F":
        return np.asarray(image)
    has_alpha = image.mode in ("LA", "PA", "RGBa", "RGBA")
    has_alpha = has_alpha or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if has_alpha else "RGB"))


def to_bytes(pixels):
    """Bring pixel values of any kind to uint8, or raise a `ValueError`."""
    kind = pixels.dtype.kind
    if pixels.dtype == np.uint8 or not pixels.size:
        return pixels
    highest = {"b": 1, "f": 1}.get(kind, 65535 if pixels.dtype == np.uint16 else 255)
    if not (pixels.min() >= 0 and pixels.max() <= highest):
        raise ValueError(
            f"picture holds {pixels.dtype} values from {pixels.min()} to "
            f"{pixels.max()}, expected 0 to {highest}. Scale them, or give uint8."
        )
    return np.rint(pixels.astype("float64") * (255 / highest)).astype("uint8")


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
    expected = build_unet(card["image_size"], filters=tuple(card["filters"]))
    if [w.shape for w in model.weights] != [w.shape for w in expected.weights]:
        raise ValueError(
            f"card describes build_unet({card['image_size']}, filters="
            f"{card['filters']}), and the model is another. Correct the card."
        )
    weights = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    with np.errstate(over="ignore"):
        halves = [weight.astype("float16") for weight in weights]
    if not all(np.isfinite(half).all() for half in halves):
        raise ValueError("model has a weight beyond float16's range, 65,504.")
    WEIGHTS_DIR.mkdir(parents=True, exist_ok=True)
    file = WEIGHTS_DIR / f"{name}.npz"
    write_whole(file, lambda path: np.savez(path, *halves))
    card = {**card, "parameters": model.count_params(), **describe_file(file)}
    write_json(WEIGHTS_DIR / f"{name}.json", card)
    return card


CARD_KEYS = (
    "filters",
    "image_size",
    "data",
    "licence",
    "recipe",
    "scores",
    "limits",
)


def describe_file(file):
    """Return the size and the SHA-256 of a file."""
    content = file.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


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
    file = WEIGHTS_DIR / f"{name}.npz"
    if not file.is_file():
        raise ValueError(f"{file} is missing. {REMEDY}")
    found = describe_file(file)["sha256"]
    if found != card["sha256"]:
        raise ValueError(
            f"{file} has the SHA-256 {found[:12]}..., and its card says "
            f"{card['sha256'][:12]}...: the file was changed or cut short. {REMEDY}"
        )
    model = build_unet(card["image_size"], filters=tuple(card["filters"]))
    with np.load(file, allow_pickle=False) as arrays:
        for number, weight in enumerate(model.weights):
            weight.assign(arrays[f"arr_{number}"].astype("float32"))
    return model


REMEDY = "Run `make weights` to train them again, or take the file from the repository."


def list_pretrained():
    """Return the names of the weights that come with the book."""
    return sorted(path.stem for path in WEIGHTS_DIR.glob("*.json"))


def read_card(name="drawn"):
    """Read the card of trained weights: network, data, licence, scores and limits.

    Raises:
        ValueError: If there is no such card, or it is damaged.
    """
    if name not in list_pretrained():
        there = ", ".join(list_pretrained()) or "none"
        raise ValueError(f"name={name!r}: the weights there are: {there}. {REMEDY}")
    file = WEIGHTS_DIR / f"{name}.json"
    try:
        card = json.loads(file.read_text())
    except ValueError as error:
        raise ValueError(f"{file} cannot be read ({error}). {REMEDY}") from error
    if not isinstance(card, dict) or not {*CARD_KEYS, "sha256"} <= card.keys():
        raise ValueError(f"{file} lacks entries of a card. {REMEDY}")
    return card
