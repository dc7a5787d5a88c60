"use strict";

// Adds and removes the rows of `syncer/rows.html`, and offers only names that fit the chosen model.
(() => {
    const changed = (cell) => cell.dispatchEvent(new Event("input", { bubbles: true }));
    const cellsOf = (row) => [...row.querySelectorAll("input, select")];
    const rowsOf = (group) => [...group.querySelectorAll("[data-row]")];

    const renumber = (group) => {
        rowsOf(group).forEach((row, index) => {
            const remove = row.querySelector("[data-remove]");
            remove.setAttribute("aria-label", remove.getAttribute("aria-label").replace(/\d+/, index + 1));
            cellsOf(row).forEach((cell, place) => {
                cell.name = `${group.dataset.rows}-${index}-${place}`;
                cell.id = `id_${cell.name}`;
                cell.setAttribute("aria-label", cell.getAttribute("aria-label").replace(/\d+$/, index + 1));
            });
        });
    };

    const clear = (row) => {
        row.classList.remove("errors");
        for (const cell of cellsOf(row)) {
            cell.value = "";
            cell.removeAttribute("aria-invalid");
        }
    };

    const add = (group) => {
        const last = rowsOf(group).at(-1);
        const row = last.cloneNode(true);
        clear(row);
        last.after(row);
        renumber(group);
        cellsOf(row)[0].focus();
        changed(cellsOf(row)[0]);
    };

    const remove = (group, row) => {
        const rows = rowsOf(group);
        const place = rows.indexOf(row);
        clear(row);
        changed(cellsOf(row)[0]);
        if (rows.length === 1) {
            cellsOf(row)[0].focus();
            return;
        }
        row.remove();
        renumber(group);
        (rows[place + 1] ?? rows[place - 1]).querySelector("[data-remove]").focus();
    };

    const start = (group) => {
        const spare = rowsOf(group).filter((row) => cellsOf(row).every((cell) => !cell.value));
        for (const row of spare.slice(spare.length === rowsOf(group).length ? 1 : 0)) row.remove();
        group.classList.add("sync-live");
        group.querySelectorAll("button").forEach((button) => (button.hidden = false));
        group.addEventListener("click", (event) => {
            const button = event.target.closest("button");
            if (button?.matches("[data-add]")) add(group);
            if (button?.matches("[data-remove]")) remove(group, button.closest("[data-row]"));
        });
    };

    // A select comes with the names of every model, in groups; it keeps what was chosen, even if that does not fit.
    const offer = (select, groups) => {
        const chosen = select.value;
        select.querySelectorAll("optgroup, [data-kept]").forEach((part) => part.remove());
        select.append(...groups.map((group) => group.cloneNode(true)));
        select.value = chosen;
        if (select.value === chosen) return;
        const kept = new Option(chosen, chosen, true, true);
        kept.dataset.kept = "";
        select.prepend(kept);
    };

    const groupsOf = new Map([...document.querySelectorAll("[data-rows]")].map((rows) => [
        rows,
        [...(rows.querySelector("[data-row] select")?.querySelectorAll("optgroup") ?? [])],
    ]));

    const fit = (model) => {
        for (const [rows, groups] of groupsOf) {
            const fitting = groups.filter((group) => !model || group.label === model);
            rows.querySelectorAll("[data-row] select").forEach((select) => offer(select, fitting));
        }
        for (const option of document.querySelectorAll("[data-rows] datalist:not([data-live]) option[label]")) {
            option.disabled = model !== "" && option.label !== model;
        }
    };

    const suggest = (list, source) => {
        const names = [...source.querySelectorAll("[data-row]")].map((row) => cellsOf(row)[0].value.trim());
        list.replaceChildren(...names.filter(Boolean).map((name) => new Option("", name)));
    };

    const model = document.getElementById("id_model");
    document.querySelectorAll("[data-rows]").forEach(start);
    for (const list of document.querySelectorAll("datalist[data-names-of]")) {
        const source = document.querySelector(`[data-rows="${list.dataset.namesOf}"]`);
        if (!source) continue;
        list.dataset.live = "";
        source.addEventListener("input", () => suggest(list, source));
        suggest(list, source);
    }
    model?.addEventListener("change", () => fit(model.value));
    if (model) fit(model.value);
})();
