"""The four building blocks of the U-Net (Ronneberger et al., 2015)."""

from keras import layers


def conv_block(x, filters, kernel_size=3, batch_normalization=True):
    """Apply two same-padded convolutions, each with a ReLU.

    Built in chapter 3.

    Args:
        x: Feature maps `(batch, height, width, channels)`.
        filters: Output channels of both convolutions.
        kernel_size: Side of the convolution kernels in pixels.
        batch_normalization: Normalise between convolution and ReLU. The convolution
            then needs no bias: the normalisation subtracts it again.

    Returns:
        Feature maps `(batch, height, width, filters)`.
    """
    for _ in range(2):
        x = layers.Conv2D(
            filters,
            kernel_size,
            padding="same",
            use_bias=not batch_normalization,
            kernel_initializer="he_normal",
        )(x)
        if batch_normalization:
            x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.Activation("relu")(x)
    return x  # (B, H, W, filters)


def encoder_block(x, filters, batch_normalization=True, dropout_rate=0.0):
    """Convolve, keep a copy for the decoder, and halve the resolution.

    Built in chapter 3.

    Args:
        x: Feature maps `(batch, height, width, channels)`, even height and width.
        filters: Output channels.
        batch_normalization: As in `conv_block`.
        dropout_rate: Share of the pooled values set to 0 in training, in [0, 1).

    Returns:
        `(skip, pooled)` of shapes `(batch, height, width, filters)` and
        `(batch, height / 2, width / 2, filters)`.
    """
    skip = conv_block(x, filters, batch_normalization=batch_normalization)
    pooled = layers.MaxPooling2D(2)(skip)  # (B, H/2, W/2, filters)
    if dropout_rate:
        pooled = layers.Dropout(dropout_rate)(pooled)
    return skip, pooled


def bottleneck(x, filters, batch_normalization=True, dropout_rate=0.3):
    """Convolve at the lowest resolution; nothing is pooled any more.

    Built in chapter 4.

    Args:
        x: Feature maps `(batch, height, width, channels)`.
        filters: Output channels.
        batch_normalization: As in `conv_block`.
        dropout_rate: Share of the values set to 0 in training, in [0, 1).

    Returns:
        Feature maps `(batch, height, width, filters)`.
    """
    x = conv_block(x, filters, batch_normalization=batch_normalization)
    if dropout_rate:
        x = layers.Dropout(dropout_rate)(x)
    return x


def decoder_block(
    x, skip, filters, kernel_size=2, batch_normalization=True, dropout_rate=0.0
):
    """Double the resolution, join the encoder's copy, and convolve.

    Built in chapter 5.

    Args:
        x: Feature maps `(batch, height, width, channels)`.
        skip: The encoder's copy `(batch, 2 * height, 2 * width, skip_channels)`, or
            None to decode without it.
        filters: Output channels.
        kernel_size: Side of the transposed convolution's kernel; its stride is 2.
        batch_normalization: As in `conv_block`.
        dropout_rate: Share of the joined values set to 0 in training, in [0, 1).

    Returns:
        Feature maps `(batch, 2 * height, 2 * width, filters)`.
    """
    x = layers.Conv2DTranspose(filters, kernel_size, strides=2, padding="same")(x)
    if skip is not None:
        x = layers.Concatenate()([x, skip])  # (B, 2H, 2W, filters + skip_channels)
    if dropout_rate:
        x = layers.Dropout(dropout_rate)(x)
    return conv_block(x, filters, batch_normalization=batch_normalization)
