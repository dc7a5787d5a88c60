// The search in each page's header as a dialog: results while one types, arrow keys to choose. Without this script the
// header's link leads to the page of the search.
"use strict";

window.addEventListener("load", () => {
    const PAUSE = 250; // milliseconds without a key before the search is asked
    const dialog = document.getElementById("search");
    if (!dialog) return;
    const input = dialog.querySelector("input");
    const state = document.getElementById("search-state");
    const found = document.getElementById("search-found");
    let timer, asked;

    function open(event) {
        event.preventDefault();
        if (!dialog.open) dialog.showModal();
        input.select();
    }

    async function ask() {
        asked?.abort();
        const mine = (asked = new AbortController());
        state.textContent = state.dataset.wait;
        try {
            const query = new URLSearchParams({ s: input.value, part: 1 });
            const answer = await fetch(`${input.form.action}?${query}`, { signal: mine.signal });
            if (answer.redirected) location.reload(); // the session has ended
            else show(answer.ok ? await answer.text() : "", answer.ok ? "" : state.dataset.failed);
        } catch (error) {
            if (error.name !== "AbortError") show("", state.dataset.failed);
        }
    }

    function show(html, words) {
        found.innerHTML = html;
        const said = found.querySelector("[data-state]");
        said?.remove();
        state.textContent = words || (said?.textContent ?? "");
    }

    function move(event) {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const stops = [input, ...found.querySelectorAll("a")];
        stops[Math.max(0, Math.min(stops.length - 1, stops.indexOf(document.activeElement) + step))].focus();
    }

    document.getElementById("search-open")?.addEventListener("click", open);
    document.addEventListener("keydown", (event) => {
        if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") open(event);
    });
    dialog.addEventListener("keydown", move);
    dialog.addEventListener("click", (event) => {
        if (event.target === dialog) dialog.close(); // beside it
    });
    input.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(ask, PAUSE);
    });
    input.form.addEventListener("submit", (event) => {
        event.preventDefault();
        clearTimeout(timer);
        ask();
    });
});
