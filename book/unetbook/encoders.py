"""An encoder that has seen a million photographs: EfficientNet-Lite0.

EfficientNet (Tan & Le, 2019) in the variant that Google cut down for telephones: no
squeeze-and-excite, ReLU6 in place of swish. Each block widens its input with a 1 x 1
convolution, looks at every channel by itself with a depthwise one, and narrows the
result again (Sandler et al., 2018).
"""

from keras import layers

STEM_FILTERS = 32
# Each stage: kernel size, strides, how many times wider inside, filters, blocks.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


def normalize(x, activate=True):
    """Apply batch normalisation and, unless told otherwise, ReLU6."""
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(x)
    return layers.Activation("relu6")(x) if activate else x


def inverted_residual(x, filters, kernel_size, strides, expansion):
    """Widen, convolve each channel by itself, narrow; add the input where it fits.

    Args:
        x: Feature maps `(batch, height, width, channels)`.
        filters: Output channels.
        kernel_size: Side of the depthwise kernels in pixels.
        strides: 2 halves height and width, 1 keeps them.
        expansion: How many times wider the block is inside.

    Returns:
        Feature maps `(batch, height / strides, width / strides, filters)`.
    """
    y, channels = x, x.shape[-1]
    if expansion > 1:
        y = layers.Conv2D(channels * expansion, 1, use_bias=False)(y)
        y = normalize(y)
    y = layers.DepthwiseConv2D(kernel_size, strides, padding="same", use_bias=False)(y)
    y = normalize(y)
    y = normalize(layers.Conv2D(filters, 1, use_bias=False)(y), activate=False)
    return layers.Add()([x, y]) if strides == 1 and channels == filters else y


def efficientnet_lite0(images):
    """Pass pictures through EfficientNet-Lite0, without its classifier.

    Args:
        images: float32 `(batch, height, width, 3)` in [0, 1].

    Returns:
        `(features, skips)`: the last feature maps `(batch, height / 32, width / 32,
        320)`, and what each block that halves the picture got, from half the size down
        to a sixteenth.
    """
    x = layers.Rescaling(255 / 128, offset=-127 / 128)(images)
    x = layers.Conv2D(STEM_FILTERS, 3, 2, padding="same", use_bias=False)(x)
    x, skips = normalize(x), []
    for kernel_size, strides, expansion, filters, blocks in STAGES:
        for block in range(blocks):
            block_strides = 1 if block else strides
            if block_strides == 2:
                skips.append(x)
            x = inverted_residual(x, filters, kernel_size, block_strides, expansion)
    return x, skips
