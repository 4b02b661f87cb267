"""Where the tests find the book, and the site rendered from its stored outputs."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
SITE = ROOT / "_build" / "stored" / "_build" / "html"
