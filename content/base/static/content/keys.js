// Ctrl+S, or Cmd+S, saves the form, and stays on it where that can be chosen.
(() => {
  const button = () => document.querySelector('button[name="_continue"]') || document.querySelector('button[name="_save"]');

  document.addEventListener("DOMContentLoaded", () => {
    const words = document.getElementById("content-keys");
    if (!words || !button()) return;
    button().title = words.dataset.title;
    button().setAttribute("aria-keyshortcuts", "Control+S Meta+S");
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      if (!event.repeat) button().click();
    });
  });
})();
