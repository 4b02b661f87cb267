"""Figures: every `plot_` function, the diagram, and the colours of both."""
