"""Helpers for the U-Net book: data, blocks, model, training, metrics and plots."""

__version__ = "0.2.0"
