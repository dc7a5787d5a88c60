// The page of a run: asks how far it is until it ended.
(() => {
  const EVERY = 500; // milliseconds
  const page = document.getElementById("run");
  if (!page || page.dataset.open !== "yes") return;

  const failures = document.getElementById("run-failures");
  const rows = failures.querySelector("tbody");

  function cell(row, label, text) {
    const made = row.insertCell();
    made.dataset.label = label;
    made.textContent = text;
    return made;
  }

  function objectCell(row, failure) {
    const made = cell(row, "Object", "");
    const name = document.createElement(failure.link ? "a" : "span");
    name.textContent = failure.object;
    if (failure.link) {
      name.href = failure.link;
      name.className = "sync-link";
    }
    const title = document.createElement("span");
    title.className = "sync-soft";
    title.textContent = ` ${failure.title}`;
    const together = document.createElement("span");
    together.append(name, title);
    made.append(together);
  }

  function showFailures(found) {
    failures.hidden = found.failures.length === 0;
    document.getElementById("run-more").hidden = !found.more;
    rows.replaceChildren();
    for (const failure of found.failures) {
      const row = rows.insertRow();
      objectCell(row, failure);
      cell(row, "Action", failure.action);
      cell(row, "Outcome", failure.outcome);
      cell(row, "Status", failure.status ?? "no answer");
      cell(row, "Answer", failure.answer);
    }
  }

  function show(found) {
    for (const place of document.querySelectorAll("[data-show]")) place.textContent = found[place.dataset.show];
    for (const place of document.querySelectorAll("[data-count]")) place.textContent = found.counts[place.dataset.count];
    const bar = document.getElementById("run-bar");
    if (found.total || !found.open) bar.value = found.percent;
    document.getElementById("run-numbers").hidden = found.open && !found.total;
    bar.className = `sync-${found.state}`;
    const state = document.getElementById("run-state");
    state.className = `sync-chip sync-${found.state}`;
    state.textContent = found.label;
    document.getElementById("run-hint").hidden = !found.hint;
    showFailures(found);
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
    if (open) return setTimeout(ask, EVERY);
    const again = document.getElementById("run-again");
    if (again) again.hidden = false;
  }

  setTimeout(ask, EVERY);
})();
