// The page of a run: what failed, as it happens. progress.js asks.
(() => {
  const failures = document.getElementById("run-failures");
  if (!failures) return;
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

  document.getElementById("progress").addEventListener("progress", (event) => showFailures(event.detail));
})();
