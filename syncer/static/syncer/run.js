// The page of a run: the list of failures, updated by each event of progress.js.
(() => {
  const failures = document.getElementById("run-failures");
  if (!failures) return;
  const rows = failures.querySelector("tbody");

  function cell(row, label, text) {
    const inserted = row.insertCell();
    inserted.dataset.label = label;
    inserted.textContent = text;
    return inserted;
  }

  function objectCell(row, failure) {
    const target = cell(row, "Object", "");
    const name = document.createElement(failure.link ? "a" : "span");
    name.textContent = failure.object;
    if (failure.link) {
      name.href = failure.link;
      name.className = "sync-link";
    }
    const title = document.createElement("span");
    title.className = "sync-soft";
    title.textContent = ` ${failure.title}`;
    const content = document.createElement("span");
    content.append(name, title);
    target.append(content);
  }

  function showFailures(progress) {
    failures.hidden = progress.failures.length === 0;
    document.getElementById("run-more").hidden = !progress.more;
    rows.replaceChildren();
    for (const failure of progress.failures) {
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
