"""Where the book says what to do when something goes wrong."""


def look_up(heading):
    """Return the sentence that ends an error: which part of which page to read.

    It names the page and no address, which a copy of the book may have anywhere, and
    it stands in the message itself: Colab's IPython does not show notes of exceptions.
    """
    return f'See "When it goes wrong" in the book: "{heading}".'
