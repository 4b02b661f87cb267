"""Compute on one Keras backend what all backends have to agree on.

`backends.py` runs it where TensorFlow is not installed, with `KERAS_BACKEND` set:
`python -m experiments.backend_outputs INPUTS OUTPUTS`, two files of NumPy arrays.
"""

import importlib
import sys

import keras
import numpy as np
from keras import ops

from unetbook.augmentation import augment
from unetbook.cards import list_pretrained
from unetbook.prediction import predict_masks
from unetbook.pretrained import load_pretrained

# What promises to run on every backend has to load where TensorFlow is missing.
KERAS_ALONE = (
    "checkpoints",
    "inspection",
    "metrics",
    "prediction",
    "processes",
    "training",
)


def compute_outputs(inputs):
    """Predict with every shipped network, and augment with the stored draws.

    Args:
        inputs: Arrays by name: `images_NETWORK` float32 `(batch, height, width, 3)`
            in [0, 1] for each network; `images` and `masks` to augment; `draw_NAME`
            for each kind of draw.

    Returns:
        Arrays by name: `masks_NETWORK`, `probabilities_NETWORK`, `augmented_images`,
        `augmented_masks`.
    """
    outputs = {}
    for name in list_pretrained():
        images = inputs[f"images_{name}"]
        model = load_pretrained(name)
        outputs[f"masks_{name}"] = predict_masks(model, images)
        probabilities = model.predict(images, batch_size=16, verbose=0)
        outputs[f"probabilities_{name}"] = probabilities
    tensors = {name: ops.convert_to_tensor(array) for name, array in inputs.items()}
    draws = {
        name.removeprefix("draw_"): tensor
        for name, tensor in tensors.items()
        if name.startswith("draw_")
    }
    images, masks = augment(tensors["images"], tensors["masks"], draws)
    outputs["augmented_images"] = ops.convert_to_numpy(images)
    outputs["augmented_masks"] = ops.convert_to_numpy(masks)
    return outputs


def describe_backend():
    """Return what proves which backend ran, to be asked once everything is computed.

    Returns:
        Three arrays of one value: `backend`, Keras's name of it; `library`, whose
        tensors Keras makes; `tensorflow_imported`.
    """
    facts = {
        "backend": keras.backend.backend(),
        "library": type(ops.zeros(1)).__module__.split(".")[0],
        "tensorflow_imported": "tensorflow" in sys.modules,
    }
    return {name: np.array(value) for name, value in facts.items()}


def main(inputs_file, outputs_file):
    """Read the inputs, and write what this backend makes of them."""
    for module in KERAS_ALONE:
        importlib.import_module(f"unetbook.{module}")
    with np.load(inputs_file, allow_pickle=False) as arrays:
        outputs = compute_outputs(dict(arrays))
    np.savez(outputs_file, **outputs, **describe_backend())


if __name__ == "__main__":
    main(*sys.argv[1:])
