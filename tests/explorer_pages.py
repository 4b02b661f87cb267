"""What the browser tests of the explorers share: reading one, keys, and tab stops."""

ACTIVE = """() => {
  const at = document.activeElement;
  const inside = at.closest('[data-explorer]') !== null;
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  return [inside, outlineStyle, parseFloat(outlineWidth)];
}"""


class ExplorerPage:
    """Reads what an explorer shows, and presses keys.

    A subclass names the explorer, as its element does, and what is there when it has
    been drawn.
    """

    name = ready = None

    def __init__(self, page):
        self.page = page
        self.root = page.locator(f'[data-explorer="{self.name}"]')
        self.root.locator(self.ready).first.wait_for()

    def control(self, role, name, **options):
        """Find a control by what a screen reader calls it."""
        return self.root.get_by_role(role, name=name, **options)

    def status(self):
        """Return the sentence that is announced."""
        return self.root.get_by_role("status").inner_text()

    def press(self, *keys):
        """Press keys, one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def count_tab_stops(self, most):
        """Count the stops from the focused one to the last; each shows its focus."""
        stops = 1
        while stops < most:
            self.press("Tab")
            inside, style, width = self.page.evaluate(ACTIVE)
            if not inside:
                break
            stops += 1
            assert style == "solid"
            assert width >= 2
        return stops
