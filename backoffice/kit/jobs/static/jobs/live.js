"use strict";

// Keep a part of a page up to date. An element with data-live="address" names, in data-part, the element that is
// replaced by that of the same selector in the answer; without data-part it is replaced itself. What ended meanwhile is
// announced once: an element with data-run and data-state="open" that becomes "ended" says its data-ended.
(() => {
  const SLOW = 10000; // milliseconds
  const FAST = 2000; // while something is open
  const OPEN = '[data-state="open"], .sync-queued, .sync-running';
  const source = document.querySelector("[data-live]");
  if (!source) return;
  const { live: address, part: selector = `#${source.id}` } = source.dataset;
  const status = document.createElement("div");
  status.setAttribute("role", "status");
  status.className = "sync-unseen";
  document.body.append(status);
  let timer;

  const part = () => document.querySelector(selector);
  const isBusy = () => part()?.contains(document.activeElement);

  function announce(before) {
    const ended = (run) => document.querySelector(`[data-run="${run}"][data-state="ended"]`);
    const texts = before.map(ended).filter(Boolean).map((run) => run.dataset.ended);
    if (texts.length) status.textContent = texts.join(" ");
  }

  function replace(page) {
    const fresh = page.querySelector(selector);
    if (!fresh || !part() || isBusy()) return;
    const open = [...document.querySelectorAll('[data-run][data-state="open"]')].map((run) => run.dataset.run);
    part().replaceWith(document.importNode(fresh, true));
    announce(open);
  }

  async function ask() {
    clearTimeout(timer);
    if (document.hidden) return;
    if (!isBusy()) {
      try {
        const answer = await fetch(address || location.href, { headers: { Accept: "text/html" } });
        if (answer.redirected || answer.status === 403 || answer.status === 404) return;
        if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch {
        // The server can't be reached at the moment; ask again.
      }
    }
    again();
  }

  function again() {
    clearTimeout(timer);
    timer = setTimeout(ask, part()?.querySelector(OPEN) ? FAST : SLOW);
  }

  document.addEventListener("visibilitychange", () => !document.hidden && ask());
  again();
})();
