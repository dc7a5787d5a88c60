// Show the progress of a job until it has ended. Other scripts can listen for the event "progress" on the page's element.
(() => {
  const EVERY = 500; // milliseconds
  const page = document.getElementById("progress");
  if (!page || page.dataset.open !== "yes") return;

  function show(progress) {
    for (const element of document.querySelectorAll("[data-show]")) element.textContent = progress[element.dataset.show];
    for (const element of document.querySelectorAll("[data-count]")) element.textContent = progress.counts[element.dataset.count];
    const bar = document.getElementById("progress-bar");
    if (progress.total || !progress.open) bar.value = progress.percent;
    document.getElementById("progress-numbers").hidden = !progress.total;
    bar.className = `sync-${progress.state}`;
    const state = document.getElementById("progress-state");
    state.className = `sync-chip sync-${progress.state}`;
    state.textContent = progress.label;
    document.getElementById("progress-hint").hidden = !progress.hint;
    page.dispatchEvent(new CustomEvent("progress", { detail: progress }));
  }

  function end() {
    if (page.dataset.atEnd === "reload") return location.reload();
    for (const element of document.querySelectorAll("[data-ended]")) element.hidden = false;
  }

  async function ask() {
    let open = true;
    try {
      const answer = await fetch(page.dataset.url, { headers: { Accept: "application/json" } });
      if (answer.redirected || answer.status === 403 || answer.status === 404) return location.reload();
      if (answer.ok) {
        const progress = await answer.json();
        show(progress);
        open = progress.open;
      }
    } catch {
      // The server can't be reached at the moment; ask again.
    }
    return open ? setTimeout(ask, EVERY) : end();
  }

  setTimeout(ask, EVERY);
})();
