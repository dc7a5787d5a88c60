// Show the progress of a job until it has ended. Other scripts can listen for the event "progress" on the page's element.
(() => {
  const EVERY = 500; // milliseconds, or as often as the server takes a fifth of the time
  const SAID = `ended ${location.pathname}`;
  const page = document.getElementById("progress");
  const ended = document.getElementById("progress-ended");

  // A page that is loaded again at the end says so once it is there: what a page comes with is not announced.
  const said = sessionStorage.getItem(SAID);
  sessionStorage.removeItem(SAID);
  if (said && ended) setTimeout(() => (ended.textContent = said), EVERY);

  if (!page || page.dataset.open !== "yes") return;
  let timer;

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

  function end(progress) {
    page.dataset.open = "no";
    if (page.dataset.atEnd === "reload") {
      sessionStorage.setItem(SAID, progress.message);
      return location.reload();
    }
    for (const element of document.querySelectorAll("[data-while-open]")) element.hidden = true;
    for (const element of document.querySelectorAll("[data-ended]")) element.hidden = false;
    if (ended) ended.textContent = progress.ended;
  }

  async function ask() {
    clearTimeout(timer);
    const began = performance.now();
    let progress = null;
    try {
      const answer = await fetch(page.dataset.url, { headers: { Accept: "application/json" } });
      if (answer.redirected || answer.status === 403 || answer.status === 404) return location.reload();
      if (answer.ok) {
        progress = await answer.json();
        show(progress);
      }
    } catch {
      // The server can't be reached at the moment; ask again.
    }
    if (progress && !progress.open) return end(progress);
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(ask, Math.max(EVERY, 4 * (performance.now() - began)));
  }

  document.addEventListener("visibilitychange", () => !document.hidden && page.dataset.open === "yes" && ask());
  timer = setTimeout(ask, EVERY);
})();
