"""Write the networks of the page "Try it" as ONNX files: `make models`.

The files stand in `site/try/` and are committed, so that rendering the book needs
neither this nor its packages; where it runs, only requirements-models.txt is installed.
The graph is written from the card and the shipped float16 weights, as
`unetbook.model` and `unetbook.encoders` build it, and keeps the weights as they are:
float16 in the file, cast to float32 when the network is loaded. A converter would fold
the batch normalisation into float32 weights, twice as large.
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
CHOSEN = ("tiny", "pretrained")  # in the order in which the page offers them
OPSET, IR_VERSION = 17, 8  # what any browser runtime of the last years reads
NUM_CLASSES = 3
EPSILON = 1e-3  # Keras's in BatchNormalization
STEM_FILTERS = 32


class Graph:
    """Nodes and weights, added in the order in which the network computes."""

    def __init__(self, weights):
        self.weights = list(weights)
        self.nodes, self.initializers = [], []

    def add(self, operation, *inputs, **attributes):
        """Add a node with one output, and return the output's name."""
        name = f"{operation}_{len(self.nodes)}"
        node = helper.make_node(operation, inputs, [name], name=name, **attributes)
        self.nodes.append(node)
        return name

    def weight(self, *shape, axes=None):
        """Add the first weight left that has this shape, with its axes moved.

        Keras sorts layers by their distance from the output, and so lets those of two
        branches take turns; in one branch they stand in the order of computation.

        Raises:
            ValueError: If none has this shape: the card describes another network.
        """
        shapes = [array.shape for array in self.weights]
        if shape not in shapes:
            raise ValueError(
                f"no weight of the shape {shape} is left. Card and weights do not "
                "belong together: `make weights`."
            )
        array = self.weights.pop(shapes.index(shape))
        name = f"weight_{len(self.initializers)}"
        array = np.ascontiguousarray(array.transpose(axes) if axes else array)
        self.initializers.append(numpy_helper.from_array(array, name))
        return self.add("Cast", name, to=TensorProto.FLOAT)

    def constant(self, value):
        """Add a number."""
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.float32(value), name))
        return name


def convolve(graph, x, width, filters, kernel_size, use_bias):
    """Add a same-padded convolution; Keras has the axes height, width, in, out."""
    shape = (kernel_size, kernel_size, width, filters)
    inputs = [x, graph.weight(*shape, axes=(3, 2, 0, 1))]
    if use_bias:
        inputs.append(graph.weight(filters))
    return graph.add("Conv", *inputs, pads=[kernel_size // 2] * 4)


def normalize(graph, x, filters):
    """Add batch normalisation."""
    statistics = [graph.weight(filters) for _ in range(4)]
    return graph.add("BatchNormalization", x, *statistics, epsilon=EPSILON)


def relu6(graph, x):
    """Add a ReLU that ends at 6."""
    return graph.add("Clip", x, graph.constant(0), graph.constant(6))


def conv_block(graph, x, width, filters):
    """Add two convolutions, each with batch normalisation and ReLU."""
    for channels in (width, filters):
        x = convolve(graph, x, channels, filters, 3, use_bias=False)
        x = graph.add("Relu", normalize(graph, x, filters))
    return x


def same_pads(kernel_size, strides):
    """Return what Keras's "same" adds to even sides: top, left, bottom, right."""
    pads = kernel_size - strides
    return [pads // 2] * 2 + [pads - pads // 2] * 2


def inverted_residual(graph, x, width, filters, settings):
    """Add a block of `unetbook.encoders`; settings: kernel size, strides, expansion."""
    kernel_size, strides, expansion = settings
    y, inside = x, width * expansion
    if expansion > 1:
        y = convolve(graph, y, width, inside, 1, use_bias=False)
        y = relu6(graph, normalize(graph, y, inside))
    kernel = graph.weight(kernel_size, kernel_size, inside, 1, axes=(2, 3, 0, 1))
    options = {"pads": same_pads(kernel_size, strides), "strides": [strides] * 2}
    y = graph.add("Conv", y, kernel, group=inside, **options)
    y = relu6(graph, normalize(graph, y, inside))
    y = convolve(graph, y, inside, filters, 1, use_bias=False)
    y = normalize(graph, y, filters)
    return graph.add("Add", x, y) if strides == 1 and width == filters else y


def encode(graph, x, stages):
    """Add EfficientNet-Lite0; return its end, and pairs of skips and their widths."""
    x = graph.add("Mul", x, graph.constant(255 / 128))
    x = graph.add("Add", x, graph.constant(-127 / 128))
    width, skips = STEM_FILTERS, []
    kernel = graph.weight(3, 3, 3, width, axes=(3, 2, 0, 1))
    x = graph.add("Conv", x, kernel, pads=same_pads(3, 2), strides=[2, 2])
    x = relu6(graph, normalize(graph, x, width))
    for kernel_size, strides, expansion, filters, blocks in stages:
        for block in range(blocks):
            settings = (kernel_size, 1 if block else strides, expansion)
            if settings[1] == 2:
                skips.append((x, width))
            x = inverted_residual(graph, x, width, filters, settings)
            width = filters
    return x, skips


def decoder_block(graph, x, skip, width, filters):
    """Add a transposed convolution with stride 2, the skip, and a conv block.

    Args:
        graph: The `Graph`.
        x: Name of what comes from below.
        skip: Name of the skip, and its channels.
        width: Channels of `x`.
        filters: Channels of the result.
    """
    skip, skip_width = skip
    kernel = graph.weight(2, 2, filters, width, axes=(3, 2, 0, 1))
    bias = graph.weight(filters)
    x = graph.add("ConvTranspose", x, kernel, bias, strides=[2, 2])
    x = graph.add("Concat", x, skip, axis=1)
    return conv_block(graph, x, filters + skip_width, filters)


def add_encoder(graph, x, filters):
    """Add the way down of chapter 6; return as `encode` does."""
    width, skips = 3, []
    for level_filters in filters[:-1]:
        x = conv_block(graph, x, width, level_filters)
        skips.append((x, level_filters))
        x = graph.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        width = level_filters
    return conv_block(graph, x, width, filters[-1]), skips


def add_unet(graph, card):
    """Add the network of a card; ONNX wants the channels before height and width.

    Returns:
        Names and channels of the feature maps of each level, from the top down.
    """
    image = graph.add("Transpose", "image", perm=[0, 3, 1, 2])
    *filters, width = card["filters"]
    if card.get("encoder"):
        x, skips = encode(graph, image, card["stages"])
        skips.insert(0, (conv_block(graph, image, 3, filters[0]), filters[0]))
    else:
        x, skips = add_encoder(graph, image, card["filters"])
    levels = [*skips, (x, width)]
    for level_filters in reversed(filters):
        x = decoder_block(graph, x, skips.pop(), width, level_filters)
        width = level_filters
    logits = convolve(graph, x, width, NUM_CLASSES, 1, use_bias=True)
    logits = graph.add("Transpose", logits, perm=[0, 2, 3, 1])
    softmax = helper.make_node("Softmax", [logits], ["probabilities"], axis=-1)
    graph.nodes.append(softmax)
    return levels


def list_outputs(graph, levels, side):
    """Return name and shape of every output: probabilities, then the feature maps.

    Whoever runs the network asks for some of them by name.
    """
    outputs = {"probabilities": [1, side, side, NUM_CLASSES]}
    for depth, (name, channels) in enumerate(levels):
        output = f"level_{depth + 1}"
        graph.nodes.append(helper.make_node("Identity", [name], [output]))
        outputs[output] = [1, channels, side >> depth, side >> depth]
    return outputs


def build_model(card, weights):
    """Return the ONNX model from one image to its probabilities and feature maps.

    Args:
        card: The card of the weights, with `filters` and `image_size`.
        weights: float16 arrays in the order of Keras's `model.weights`.

    Raises:
        ValueError: If card and weights do not belong together.
    """
    graph = Graph(weights)
    levels = add_unet(graph, card)
    if graph.weights:
        raise ValueError("weights are left over: the card describes another network.")
    side = card["image_size"]
    sizes = [{"image": [1, side, side, 3]}, list_outputs(graph, levels, side)]
    ends = [
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in end.items()
        ]
        for end in sizes
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
