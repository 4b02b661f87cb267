"""The helper package of the course: from pictures to a trained, scored U-Net.

Taught, chapter by chapter, and shown there word for word:

    data            load_pets, load_pictures, pictures to batches          (1)
    augmentation    flips, crops, colours                                  (1)
    convolution     the transposed convolution by hand                     (2)
    blocks          conv, encoder, bottleneck and decoder block            (3 to 5)
    inspection      parameters, work, receptive fields                     (3, 4, 6)
    gradients       what a feature looks at                                (3)
    model           build_unet                                             (6)
    training        optimizer, loss, compile, train                        (7)
    prediction      masks, and a picture of any size                       (8)
    metrics         confusion matrix, IoU, Dice, accuracy, certainty       (8, 9)

What stands behind that:

    classes         what a pixel may be: names, colours, background
    tiles           a picture in squares, mirrored, or seen twice
    cutouts         a mask's object cut out, counted, written down
    config          tiers and settings; the one reader of the environment
    machine         where TensorFlow cannot run, and what works there
    inline          drawings shown as SVG in a notebook
    sources/        behind load_pets: photographs, folders, outlines,
                    class lists, drawn pets, splits
    checkpoints     exact resume
    progress        what a training prints
    processes       several processes that train one network; Keras on JAX
    encoders        EfficientNet-Lite0, which has learnt from ImageNet
    cards           which networks come with the book, and what their cards say
    pretrained      their weights, and new heads for them
    pictures        any picture as an array; masks and pictures checked
    cats            five photographs that anyone may use
    files           written whole or not at all
    remedies        which part of the book an error names
    results         what experiments measured, read from measured/

What shows it:

    figures/        pictures and masks, charts, matrices, the diagram, all colours
    explorers/      what can be touched: Python, and the scripts in explorers/page/

What the command line `unetbook` does:

    __main__        its options, errors and exit codes
    arguments       what can be checked before TensorFlow is loaded
    commands        check, train, score, segment
    runs            what a training leaves in its folder, to be used again

Data flows one way: config, data, model, training, prediction and metrics, figures,
explorers, chapter. Nothing imports upwards, and nothing is imported from here.
"""

__version__ = "0.2.0"
