"""The networks that recipes describe, and what is done to whole networks."""

import keras
from keras import layers, ops

from unetbook.inspection import multiply_adds
from unetbook.model import build_unet
from unetbook.pretrained import build_pretrained_unet


def build_network(recipe):
    """Build a recipe's uncompiled U-Net."""
    if recipe.pretrained:
        return build_pretrained_unet(recipe.image_size)
    model = build_unet(
        recipe.image_size,
        filters=recipe.filters,
        up_kernel_size=recipe.up_kernel_size,
        batch_normalization=recipe.batch_normalization,
        dropout_rate=recipe.dropout_rate,
        block_dropout_rate=recipe.block_dropout_rate,
        use_skips=recipe.use_skips,
    )
    return replace_transposed(model) if recipe.up_sampling else model


def replace_transposed(model):
    """Replace every transposed convolution by up-sampling and a 3 x 3 convolution."""

    def replace_layer(layer):
        if not isinstance(layer, layers.Conv2DTranspose):
            return layer.__class__.from_config(layer.get_config())
        convolution = layers.Conv2D(layer.filters, 3, padding="same")
        return keras.Sequential([layers.UpSampling2D(2), convolution])

    return keras.models.clone_model(model, clone_function=replace_layer)


def to_float32(model, recipe):
    """Return a new network with the same weights that computes in float32."""
    copy = build_network(recipe)
    copy.set_weights(model.get_weights())
    return copy


def add_flips(model):
    """Return a model that averages the probabilities of a picture and its mirror."""
    images = keras.Input(model.input_shape[1:], name="image")
    mirrored = ops.flip(model(ops.flip(images, axis=2)), axis=2)
    return keras.Model(images, (model(images) + mirrored) / 2)


def average_weights(model, others):
    """Give a model the mean of its weights and others of the same shapes.

    What a training without crops forgets, such as pets larger than the picture, comes
    back, and what it won stays: Wortsman et al., 2022, arXiv 2109.01903.
    """
    pairs = zip(model.get_weights(), others, strict=True)
    model.set_weights([(weight + other) / 2 for weight, other in pairs])


def count_multiply_adds(model):
    """Add up the multiply-adds of a network for one picture."""
    total = 0
    for layer in model.layers:
        parts = layer.layers if isinstance(layer, keras.Sequential) else [layer]
        total += sum(multiply_adds(part) for part in parts)
    return total
