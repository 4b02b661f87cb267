"""Machines on which TensorFlow cannot run, told before anything large is loaded.

Set-up reads this file too: the standard library alone, and any Python 3.
"""

import platform
import sys

HOSTED = (
    "What works: the Colab or Kaggle button at the top of each chapter, and reading "
    "the rendered book."
)
# Where TensorFlow is published: https://www.tensorflow.org/install/pip
PUBLISHED = {
    ("Linux", "x86_64"),
    ("Linux", "aarch64"),
    ("Darwin", "arm64"),
    ("Windows", "AMD64"),
}
AVX_ON_WINDOWS = 39  # PF_AVX_INSTRUCTIONS_AVAILABLE


def find_obstacle():
    """Return sentences that say why TensorFlow cannot run here, or None."""
    system, processor = platform.system(), platform.machine()
    if system == "Darwin" and processor == "x86_64":
        return (
            "TensorFlow is no longer published for Intel Macs. (On a Mac with an Apple "
            "processor, this Python is one for Intel: take one for arm64.) A Linux "
            "container works, such as python:3.13 in Docker. " + HOSTED
        )
    if system == "Windows" and processor == "ARM64":
        return (
            "TensorFlow is not published for Windows on ARM. Install WSL2 (`wsl "
            "--install`) and go on in its Linux, where it is. " + HOSTED
        )
    if sys.maxsize < 2**32:
        return "This Python has 32 bits, and TensorFlow needs a Python of 64 bits."
    if (system, processor) not in PUBLISHED:
        named = system + " on " + processor
        return "TensorFlow is not published for " + named + ". " + HOSTED
    if not has_avx(system, processor):
        return (
            "This processor has no AVX instructions, without which TensorFlow ends "
            "Python. (A virtual machine may hide them: give it the processor of its "
            "host.) " + HOSTED
        )
    return None


def has_avx(system, processor):
    """Tell whether a processor has AVX; True if it needs none, or if nothing tells."""
    if processor == "AMD64" and system == "Windows":
        import ctypes

        return bool(ctypes.windll.kernel32.IsProcessorFeaturePresent(AVX_ON_WINDOWS))
    if processor == "x86_64" and system == "Linux":
        return "avx" in read_flags("/proc/cpuinfo", ["avx"])
    return True


def read_flags(path, unknown):
    """Return the features of a processor from Linux's file about it."""
    try:
        with open(path) as file:
            lines = [line for line in file if line.startswith("flags")]
    except OSError:
        lines = []
    return lines[0].split() if lines else unknown
