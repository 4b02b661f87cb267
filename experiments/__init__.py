"""Runs that measure; what they find is written down, and chapters read it."""
