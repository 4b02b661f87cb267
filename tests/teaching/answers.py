"""Right answers to hidden checks, and answers that are wrong in every class."""

import contextlib

import numpy as np

from teach import by_hand, checks

NUMBERS = (0, 1, -1, 2, 0.5, float("nan"))


def right_answer(source, reference):
    """Return what the solution answers; for a training, what it should answer."""
    check = checks.split_check(source)
    if "form = " not in check.compare:
        return checks.ask_here(source, reference.names)
    names = {**reference.names, "np": np, "same": checks.same, "by_hand": by_hand}
    names["answer"] = np.zeros(0)
    with contextlib.suppress(AssertionError):
        exec(check.draw + check.compare, names)
    return names["form"]


def misshapen(answer):
    """Yield answers that are empty, short, long, or otherwise not of this form."""
    for other in ([], {}, "", None, [answer], [[]], {"raised": "ValueError"}):
        if checks.form(other) != checks.form(answer):
            yield other
    if isinstance(answer, list):
        yield from misshapen_lists(answer)
    elif isinstance(answer, np.ndarray):
        yield from misshapen_arrays(answer)
    else:
        yield from (str([answer]), np.array([answer]), [answer, answer])
        if not isinstance(answer, str):
            yield int(answer) if isinstance(answer, bool) else answer > 0


def misshapen_lists(answer):
    """Yield lists that are too short or too long, or of which one item is misshapen."""
    for count in range(1, len(answer)):
        yield answer[:count]
    yield from (answer[1:], answer + answer[-1:], answer + [None], answer * 2)
    yield {str(place): item for place, item in enumerate(answer)}
    for place in {0, len(answer) - 1}:
        for item in misshapen(answer[place]):
            yield [*answer[:place], item, *answer[place + 1 :]]


def misshapen_arrays(answer):
    """Yield arrays of another shape or kind, and the same numbers as a list."""
    yield from (answer.tolist(), answer[None], answer[..., None], answer[:0])
    yield from (answer[:-1], np.concatenate([answer, answer[-1:]]), answer == answer)
    if answer.ndim > 1:
        yield answer.ravel()
        yield answer[..., :-1]
    if answer.shape != answer.T.shape:
        yield answer.T


def uniform(answer):
    """Yield answers of this form with one number, and one truth, everywhere."""
    truths = (True, False) if "bool" in str(checks.form(answer)) else (True,)
    for number in NUMBERS:
        for truth in truths:
            yield filled(answer, number, truth)


def filled(answer, number, truth):
    """Return an answer of the same form that holds only these values."""
    if isinstance(answer, list):
        return [filled(item, number, truth) for item in answer]
    if isinstance(answer, np.ndarray):
        return np.full(answer.shape, truth if answer.dtype == bool else number)
    if isinstance(answer, bool):
        return truth
    return answer if isinstance(answer, str) else number
