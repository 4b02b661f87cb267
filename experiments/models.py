"""Write the networks of the page "Try it" as ONNX files: `make models`.

The files stand in `site/try/` and are committed, so that rendering the book needs
neither this nor its packages; where it runs, only requirements-models.txt is installed.
The graph is written from the card and the shipped float16 weights, two loops as in
chapter 6, and keeps the weights as they are: float16 in the file, cast to float32 when
the network is loaded. A converter would fold the batch normalisation into float32
weights, twice as large.
"""

import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from unetbook.metrics import mean_iou

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "book" / "unetbook" / "weights"
FOLDER = ROOT / "site" / "try"
CHOSEN = ("tiny", "large")  # in the order in which the page offers them
OPSET, IR_VERSION = 17, 8  # what any browser runtime of the last years reads
NUM_CLASSES = 3
EPSILON = 1e-3  # Keras's in BatchNormalization


class Graph:
    """Nodes and weights, added in the order in which the network computes."""

    def __init__(self, weights):
        self.weights = iter(weights)
        self.nodes, self.initializers = [], []

    def add(self, operation, *inputs, **attributes):
        """Add a node with one output, and return the output's name."""
        name = f"{operation}_{len(self.nodes)}"
        node = helper.make_node(operation, inputs, [name], name=name, **attributes)
        self.nodes.append(node)
        return name

    def weight(self, *shape, axes=None):
        """Add the next weight, which must have this shape, with its axes moved.

        Raises:
            ValueError: If the shape is another: the card describes another network.
        """
        array = next(self.weights)
        if array.shape != shape or array.dtype != np.float16:
            raise ValueError(
                f"the next weight is {array.dtype} {array.shape}, expected float16 "
                f"{shape}. Card and weights do not belong together: `make weights`."
            )
        name = f"weight_{len(self.initializers)}"
        array = np.ascontiguousarray(array.transpose(axes) if axes else array)
        self.initializers.append(numpy_helper.from_array(array, name))
        return self.add("Cast", name, to=TensorProto.FLOAT)


def convolve(graph, x, width, filters, kernel_size, use_bias):
    """Add a same-padded convolution; Keras has the axes height, width, in, out."""
    shape = (kernel_size, kernel_size, width, filters)
    inputs = [x, graph.weight(*shape, axes=(3, 2, 0, 1))]
    if use_bias:
        inputs.append(graph.weight(filters))
    return graph.add("Conv", *inputs, pads=[kernel_size // 2] * 4)


def conv_block(graph, x, width, filters):
    """Add two convolutions, each with batch normalisation and ReLU."""
    for channels in (width, filters):
        x = convolve(graph, x, channels, filters, 3, use_bias=False)
        statistics = [graph.weight(filters) for _ in range(4)]
        x = graph.add("BatchNormalization", x, *statistics, epsilon=EPSILON)
        x = graph.add("Relu", x)
    return x


def decoder_block(graph, x, skip, width, filters):
    """Add a transposed convolution with stride 2, the skip, and a conv block."""
    kernel = graph.weight(2, 2, filters, width, axes=(3, 2, 0, 1))
    bias = graph.weight(filters)
    x = graph.add("ConvTranspose", x, kernel, bias, strides=[2, 2])
    x = graph.add("Concat", x, skip, axis=1)
    return conv_block(graph, x, 2 * filters, filters)


def add_unet(graph, filters):
    """Add the network of chapter 6; ONNX wants the channels before height and width."""
    x, width, skips = graph.add("Transpose", "image", perm=[0, 3, 1, 2]), 3, []
    for level_filters in filters[:-1]:
        x = conv_block(graph, x, width, level_filters)
        skips.append(x)
        x = graph.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        width = level_filters
    x = conv_block(graph, x, width, filters[-1])
    width = filters[-1]
    for level_filters in reversed(filters[:-1]):
        x = decoder_block(graph, x, skips.pop(), width, level_filters)
        width = level_filters
    logits = convolve(graph, x, width, NUM_CLASSES, 1, use_bias=True)
    logits = graph.add("Transpose", logits, perm=[0, 2, 3, 1])
    softmax = helper.make_node("Softmax", [logits], ["probabilities"], axis=-1)
    graph.nodes.append(softmax)


def build_model(card, weights):
    """Return the ONNX model from one image to its probabilities.

    Args:
        card: The card of the weights, with `filters` and `image_size`.
        weights: float16 arrays in the order of Keras's `model.weights`.

    Raises:
        ValueError: If card and weights do not belong together.
    """
    graph = Graph(weights)
    add_unet(graph, card["filters"])
    if next(graph.weights, None) is not None:
        raise ValueError("weights are left over: the card describes another network.")
    side = card["image_size"]
    sizes = {"image": [1, side, side, 3], "probabilities": [1, side, side, NUM_CLASSES]}
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name, shape in sizes.items()
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "unet", *ends, graph.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="unetbook",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def write_model(name):
    """Write one network, and return what the page has to know about it."""
    card = json.loads((WEIGHTS / f"{name}.json").read_text())
    with np.load(WEIGHTS / f"{name}.npz", allow_pickle=False) as arrays:
        weights = [arrays[f"arr_{number}"] for number in range(len(arrays))]
    content = build_model(card, weights).SerializeToString()
    (FOLDER / f"{name}.onnx").write_bytes(content)
    digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
    return {
        "name": name,
        "bytes": len(content),
        "integrity": f"sha384-{digest}",
        "imageSize": card["image_size"],
        "parameters": card["parameters"],
        "meanIou": round(mean_iou(card["scores"]["test"]["matrix"]), 4),
        "weights": card["sha256"],  # of the shipped file that this was made from
    }


def main():
    """Write every chosen network that is shipped, and the list that the page reads."""
    names = [name for name in CHOSEN if (WEIGHTS / f"{name}.json").is_file()]
    models = [write_model(name) for name in names]
    text = json.dumps(models, indent=2) + "\n"
    (FOLDER / "models.json").write_text(text, encoding="utf-8")
    for model in models:
        print(f"wrote {model['name']}.onnx: {model['bytes'] / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
