// Keep the states of the object on its form up to date while they may change soon, and say what changed.
(() => {
  const EVERY = 2000; // milliseconds
  const LONGEST = 10 * 60 * 1000; // milliseconds; then the page is loaded again to see more

  async function ask(rows, said, begun) {
    let moving = true;
    try {
      const answer = document.hidden ? null : await fetch(rows.dataset.url, { headers: { Accept: "application/json" } });
      if (answer && (answer.redirected || [403, 404].includes(answer.status))) return;
      if (answer && answer.ok) {
        const states = await answer.json();
        moving = states.moving;
        if (rows.dataset.text !== states.text) said.textContent = states.text;
        rows.dataset.text = states.text;
        rows.innerHTML = states.rows;
      }
    } catch {
      // The server can't be reached at the moment; ask again.
    }
    if (moving && Date.now() - begun < LONGEST) setTimeout(ask, EVERY, rows, said, begun);
  }

  document.addEventListener("DOMContentLoaded", () => {
    const rows = document.getElementById("sync-states");
    if (rows && rows.dataset.moving === "yes") ask(rows, document.getElementById("sync-states-said"), Date.now());
  });
})();
