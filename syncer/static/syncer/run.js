"use strict";

// The page of a run: what failed, asked for again when the number of failures has changed, and when the run has ended.
(() => {
  const EVERY = 5000; // milliseconds
  const page = document.getElementById("progress");
  const part = document.getElementById("failures");
  if (!page || !part) return;
  let shown = null;
  let asked = 0;

  async function refresh(failed) {
    asked = Date.now();
    try {
      const answer = await fetch(part.dataset.url, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected || part.contains(document.activeElement)) return;
      part.innerHTML = await answer.text();
      shown = failed;
    } catch {
      // The server can't be reached at the moment; the next event asks again.
    }
  }

  page.addEventListener("progress", ({ detail: { open, counts } }) => {
    const isNew = counts.failed !== shown && (counts.failed || shown);
    if (!open || (isNew && Date.now() - asked > EVERY)) refresh(counts.failed);
  });
})();
