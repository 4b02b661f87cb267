// What the player of ipywidgets lacks on a page of the book. Only pages with a slider
// load both; `_config.yml` names them.

/** Give the slider and its picture names that a screen reader can say. */
function nameParts() {
  for (const handle of document.querySelectorAll(".noUi-handle:not([aria-label])")) {
    const label = handle.closest(".widget-slider")?.querySelector(".widget-label");
    handle.setAttribute("aria-label", label?.textContent || "step");
  }
  for (const image of document.querySelectorAll("img.widget-image:not([alt])")) {
    image.alt = "The figure at this step of the slider.";
  }
}

document.addEventListener("DOMContentLoaded", () => {
  // The player typesets labels with MathJax 2; the page has 3, and labels no formulas.
  if (window.MathJax) window.MathJax.Hub ??= { Queue() {} };
  new MutationObserver(nameParts).observe(document.body, { childList: true, subtree: true });
});
