"""Put a trained recipe's weights into the package, with all that is told about them.

Two files: `weights/NAME.npz` and its card `weights/NAME.json`; of the photographs also
`measured/NAME_pictures.npz`, what every test picture scored.
"""

import dataclasses

from keras import ops

from experiments.drawn import describe_drawn, score_borders, to_config
from experiments.measuring import SCORE_BATCH
from experiments.pictures import score_photographs
from experiments.recipes import RECIPES
from experiments.run import describe_place, load_pairs, score_pictures, train_recipe
from unetbook.config import describe
from unetbook.data import cache_pairs, load_pets, make_dataset
from unetbook.encoders import STAGES
from unetbook.metrics import mean_iou
from unetbook.prediction import evaluate_masks
from unetbook.pretrained import ENCODER, FILTERS, save_pretrained

ENCODER_LICENCE = " The encoder began with weights under the Apache License 2.0."
DRAWN_PICTURES = 64  # of the drawn test split: a score that everybody can recompute


def ship(name, seed, precision="float32"):
    """Write a run's rounded weights, their card and its pictures' counts.

    Args:
        name: A name in `SHIPPED`.
        seed: Seed of the run; it is trained unless it is finished.
        precision: Dtype policy that it was trained with.

    Returns:
        The card.
    """
    recipe = RECIPES[name]
    pairs = load_pairs(recipe, seed)
    model, _ = train_recipe(recipe, name, seed, pairs, precision)
    round_weights(model)
    made_by = f"python -m experiments ship {name} --seed {seed}"
    card = describe_network(recipe)
    if recipe.data == "drawn":
        matrices, _ = score_pictures(model, pairs.test)
        card |= describe_drawn_net(recipe, seed, matrices, made_by)
    else:
        origin = {"made_by": made_by, "recipe": name, "seed": seed}
        origin["where"] = describe_place(precision)
        scores = {"test": score_photographs(name, model, recipe.image_size)}
        scores["drawn"] = score_drawn(model, recipe.image_size)
        card |= describe_photographs_net(pairs.description, origin, scores)
        if recipe.pretrained:
            card["licence"] += ENCODER_LICENCE
    return save_pretrained(model, name, card)


def describe_network(recipe):
    """Return the entries of a card that the network is built from."""
    if recipe.pretrained:
        network = {"encoder": ENCODER, "stages": STAGES, "filters": FILTERS}
        return {**network, "image_size": recipe.image_size}
    return {"filters": recipe.filters, "image_size": recipe.image_size}


def round_weights(model):
    """Round a model's weights to float16, so that its scores are those of the file."""
    for weight in model.weights:
        half = ops.convert_to_numpy(weight).astype("float16")
        weight.assign(half.astype("float32"))


def describe_drawn_net(recipe, seed, matrices, made_by):
    """Return what a reader should know about weights that learnt drawn pets."""
    config = to_config(dataclasses.asdict(recipe), seed)
    settings = ("epochs", "batch_size", "learning_rate", "augmentation", "dropout_rate")
    return {
        "data": describe_drawn(),
        "licence": "MIT, like the code: the pictures it learnt from are drawn by it.",
        "recipe": {
            "made_by": made_by,
            "where": describe(config),
            **{name: getattr(recipe, name) for name in settings},
            "seed": seed,
        },
        "scores": score_borders(matrices.sum(axis=0), len(matrices)),
        "limits": "Trained on drawn cats and dogs alone. It has never seen a "
        "photograph, another animal or two pets in one picture; on those its masks "
        "mean little.",
    }


def describe_photographs_net(data, recipe, scores):
    """Return what a reader should know about weights that learnt photographs."""
    return {
        "data": data,
        "licence": "MIT, like the code. Trained on Oxford-IIIT Pet (Parkhi et al., "
        "2012), whose photographs are CC BY-SA 4.0; none of them is included.",
        "recipe": recipe,
        "scores": scores,
        "limits": "Cats and dogs, mostly one to a picture and in full view, squeezed "
        "to a square of 128 pixels. It knows no other animals, marks no pet as absent "
        "with certainty, and its outlines are a pixel or two off at that size.",
    }


def score_drawn(model, image_size):
    """Return the mean IoU on the first drawn test pets, which are always the same."""
    examples = load_pets("drawn").test.take(DRAWN_PICTURES)
    batches = make_dataset(cache_pairs(examples, image_size), SCORE_BATCH)
    score = round(mean_iou(evaluate_masks(model, batches)), 4)
    return {"pictures": DRAWN_PICTURES, "mean_iou": score}


def main(options):
    """Write the files of one finished run, and say what the card holds of them."""
    card = ship(options.name, options.seed, options.precision)
    print(f"weights/{options.name}.npz: {card['bytes']:,} bytes, {card['scores']}")
