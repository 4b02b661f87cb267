"""Goes before every hidden check inside the sandbox; the grader reads this as text.

What student code may have done to Python by now does not matter: all that leaves the
sandbox is JSON, and it is judged outside.
"""


def refuses(function, *arguments):
    """Tell whether the function raises a ValueError, or a kind of it."""
    try:
        function(*arguments)
    except ValueError:
        return True
    except Exception:
        return False
    return False


def to_plain(value):
    """Turn numbers, text, arrays, lists and dictionaries into what JSON can hold."""
    import numpy

    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {"entries": [[str(key), to_plain(value[key])] for key in value]}
    array = numpy.asarray(value)
    if array.dtype.kind == "O":  # numbers may be in it
        array = numpy.array(array.tolist())
    if array.dtype.kind not in "biuf":
        return {"unknown": type(value).__name__}
    return {
        "array": array.ravel().tolist(),
        "shape": list(array.shape),
        "dtype": str(array.dtype),
    }


def hand_over(value):
    """Send the answer out of the sandbox, with the reply to this very cell.

    What a cell displays goes another way, on which it may come late or not at all.
    """
    import json

    from IPython import get_ipython

    text = json.dumps(to_plain(value))[:2_000_001]  # one more is too large
    answer = {"source": "answer", "text": text}
    get_ipython().payload_manager.write_payload(answer)
