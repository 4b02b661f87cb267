"""Draw or download the data set of this run, and print the name of the device.

`tools/execute.py` starts it: chapters that start together would all do so.
"""

import contextlib
import sys

from unetbook.config import device_name, start


def main():
    """Load the data once; only the device goes to the standard output."""
    with contextlib.redirect_stdout(sys.stderr):
        config = start()
        from unetbook.data import load_pets  # TensorFlow, which start() keeps quiet

        try:
            load_pets(config.data)
        except ValueError as error:  # no such data: the sentence alone
            sys.exit(str(error))
    print(device_name())


if __name__ == "__main__":
    main()
