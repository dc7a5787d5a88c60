// A page that shows work moving: asks how far it is until it ended. What shows more listens for the event "progress".
(() => {
  const EVERY = 500; // milliseconds
  const page = document.getElementById("progress");
  if (!page || page.dataset.open !== "yes") return;

  function show(found) {
    for (const place of document.querySelectorAll("[data-show]")) place.textContent = found[place.dataset.show];
    for (const place of document.querySelectorAll("[data-count]")) place.textContent = found.counts[place.dataset.count];
    const bar = document.getElementById("progress-bar");
    if (found.total || !found.open) bar.value = found.percent;
    document.getElementById("progress-numbers").hidden = !found.total;
    bar.className = `sync-${found.state}`;
    const state = document.getElementById("progress-state");
    state.className = `sync-chip sync-${found.state}`;
    state.textContent = found.label;
    document.getElementById("progress-hint").hidden = !found.hint;
    page.dispatchEvent(new CustomEvent("progress", { detail: found }));
  }

  function end() {
    if (page.dataset.atEnd === "reload") return location.reload();
    for (const place of document.querySelectorAll("[data-ended]")) place.hidden = false;
  }

  async function ask() {
    let open = true;
    try {
      const answer = await fetch(page.dataset.url, { headers: { Accept: "application/json" } });
      if (answer.redirected || answer.status === 403 || answer.status === 404) return location.reload();
      if (answer.ok) {
        const found = await answer.json();
        show(found);
        open = found.open;
      }
    } catch {
      // The server is away for a moment; the next question finds out.
    }
    return open ? setTimeout(ask, EVERY) : end();
  }

  setTimeout(ask, EVERY);
})();
