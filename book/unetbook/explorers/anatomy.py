"""A U-Net block by block: its shapes and counts, what it sees, its feature maps.

The layers decide, not what we believe about them.
"""

from dataclasses import dataclass

import keras
from keras import layers

from unetbook.figures.diagram import check_layers
from unetbook.inspection import multiply_adds


@dataclass
class Block:
    """One block of a U-Net.

    Attributes:
        part: `"encoder"`, `"bottleneck"`, `"decoder"` or `"output"`.
        level: 1 at the size of the picture, one more after every pooling.
        layers: Its layers in order; the last one gives the feature maps.
    """

    part: str
    level: int
    layers: list

    @property
    def name(self):
        """What the drawing calls the block."""
        numbered = self.part in ("encoder", "decoder")
        return f"{self.part} {self.level}" if numbered else self.part

    @property
    def shape(self):
        """Rows, columns and channels of the feature maps."""
        return self.layers[-1].output.shape[1:]

    @property
    def parameters(self):
        """The parameters of all its layers."""
        return sum(layer.count_params() for layer in self.layers)

    @property
    def work(self):
        """The multiply-adds of all its layers for one picture."""
        return sum(map(multiply_adds, self.layers))


def starts_block(layer):
    """Tell whether a block begins: at a pooling, on the way up, at the output."""
    if isinstance(layer, layers.MaxPooling2D | layers.Conv2DTranspose):
        return True
    return isinstance(layer, layers.Conv2D) and layer.kernel_size == (1, 1)


def split_blocks(model):
    """Group the layers of a U-Net into its blocks.

    Args:
        model: A functional `keras.Model` from `build_unet`.

    Returns:
        A list of `Block`, from the picture to the probabilities.

    Raises:
        ValueError: If a layer is of a kind that `build_unet` does not use, or nothing
            is pooled.
    """
    check_layers(model)
    blocks = [Block("encoder", 1, [])]
    for layer in model.layers[1:]:
        if starts_block(layer):
            last = blocks[-1]
            if isinstance(layer, layers.MaxPooling2D):
                blocks.append(Block("encoder", last.level + 1, []))
            elif isinstance(layer, layers.Conv2DTranspose):
                blocks.append(Block("decoder", last.level - 1, []))
            else:
                blocks.append(Block("output", last.level, []))
        blocks[-1].layers.append(layer)
    deepest = max(blocks, key=lambda block: block.level)
    if deepest.level == 1:
        raise ValueError(
            f"model {model.name!r} has no pooling, so it is no U. Pass a model from "
            "build_unet with two widths at least."
        )
    deepest.part = "bottleneck"
    return blocks


def find_skips(blocks):
    """Return the skips as `(encoder, decoder)`, positions in `blocks`, from the top."""
    ends = {
        id(layer.output): number
        for number, block in enumerate(blocks)
        for layer in block.layers
    }
    found = [
        (ends[id(layer.input[1])], number)
        for number, block in enumerate(blocks)
        for layer in block.layers
        if isinstance(layer, layers.Concatenate)
    ]
    return sorted(found)


def rows_before(layer, first, last):
    """Return the first and the last input row that these rows of a layer depend on."""
    if isinstance(layer, layers.MaxPooling2D):
        pool = layer.pool_size[0]
        return first * pool, last * pool + pool - 1
    if isinstance(layer, layers.Conv2DTranspose):  # each input row stamps its kernel
        size, stride = layer.kernel_size[0], layer.strides[0]
        cut = (max(size, stride) - stride) // 2
        return -((size - 1 - first - cut) // stride), (last + cut) // stride
    if isinstance(layer, layers.Conv2D):
        before = (layer.kernel_size[0] - 1) // 2
        return first - before, last + layer.kernel_size[0] - 1 - before
    return first, last


def seen_rows(model, layer, row):
    """Find the picture's rows that a row of a layer's output depends on.

    This is the receptive field of `receptive_field`, followed back through
    up-sampling and skips as well; columns are alike.

    Args:
        model: A functional `keras.Model` with padding `"same"` throughout.
        layer: One of its layers.
        row: A row of the layer's output.

    Returns:
        `(first, last)`; rows outside the picture are padding.
    """
    makers = {id(maker.output): maker for maker in model.layers}

    def follow(layer, first, last):
        if isinstance(layer, layers.InputLayer):
            return first, last
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        rows = rows_before(layer, first, last)
        found = [follow(makers[id(tensor)], *rows) for tensor in inputs]
        return min(rows[0] for rows in found), max(rows[1] for rows in found)

    return follow(layer, row, row)


def seen_square(model, block):
    """Return what the middle unit of a block sees, and the side of that field.

    Returns:
        `((top, left, bottom, right), side)`: the part inside the picture, with `bottom`
        and `right` one beyond it, and the side in pixels with the padding.
    """
    edges = []
    for axis, size in enumerate(model.input_shape[1:3]):
        first, last = seen_rows(model, block.layers[-1], block.shape[axis] // 2)
        edges.append((max(first, 0), min(last + 1, size)))
    (top, bottom), (left, right) = edges
    return (top, left, bottom, right), last - first + 1


def compute_maps(model, blocks, image):
    """Run one picture through a model and return the feature maps of every block.

    Args:
        model: A functional `keras.Model`.
        blocks: What `split_blocks` returns for it.
        image: float32 `(height, width, 3)` in [0, 1], of the model's size.

    Returns:
        A list of float32 `(rows, columns, channels)`.
    """
    outputs = [block.layers[-1].output for block in blocks]
    reader = keras.Model(model.input, outputs)
    return [keras.ops.convert_to_numpy(maps)[0] for maps in reader(image[None])]
