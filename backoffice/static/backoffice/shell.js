// Make the theme's controls usable by keyboard and by name: some are plain elements that only a click reaches.
"use strict";

(() => {
    const CONTROLS = "a[href], button, input, select, textarea, label, summary, [role]";

    // An icon's text is the name of a picture: what has only icons is named in words.
    function nameIcons() {
        const words = document.getElementById("shell-words")?.dataset ?? {};
        for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
            const name = icon.textContent.trim();
            const control = icon.closest('a, button, [role="button"]');
            if (icon !== control) icon.setAttribute("aria-hidden", "true");
            if (!control || control.title || control.hasAttribute("aria-label") || hasText(control)) continue;
            control.setAttribute("aria-label", words[name] ?? name.replaceAll("_", " "));
        }
    }

    function hasText(control) {
        const copy = control.cloneNode(true);
        for (const icon of [copy, ...copy.querySelectorAll("*")].filter((one) => one.matches(".material-symbols-outlined"))) icon.textContent = "";
        return copy.textContent.trim() !== "";
    }

    function makeButtons() {
        for (const element of document.querySelectorAll("[x-on\\:click]")) {
            if (element.matches(CONTROLS)) continue;
            element.setAttribute("role", "button");
            element.tabIndex = 0;
        }
    }

    // A list of choices is labelled by what is chosen, which may be nothing.
    function nameChoices() {
        for (const box of document.querySelectorAll(".select2-selection")) {
            const select = box.closest(".select2-container")?.previousElementSibling;
            const label = select?.labels?.[0]?.textContent.trim();
            if (!label) continue;
            box.removeAttribute("aria-labelledby");
            box.setAttribute("aria-label", label);
            box.querySelector(".select2-search__field")?.setAttribute("aria-label", label);
            box.querySelector('[role="textbox"]')?.setAttribute("aria-label", label);
        }
        for (const help of document.querySelectorAll("span.help-tooltip[aria-label]")) help.setAttribute("role", "img");
    }

    // The theme writes each word of a label with a capital.
    function spellLabels() {
        for (const cell of document.querySelectorAll("#content [data-label]")) {
            const label = cell.dataset.label;
            cell.dataset.label = label.charAt(0).toUpperCase() + label.slice(1);
            cell.dataset.labelled = "";
        }
    }

    function press(event) {
        if (event.target.matches?.('[role="button"]') && (event.key === "Enter" || event.key === " ")) {
            event.preventDefault();
            event.target.click();
        }
    }

    document.addEventListener("keydown", press);
    function mend() {
        makeButtons();
        nameIcons();
        nameChoices();
        spellLabels();
    }

    // After what the other scripts add to the page as it is loaded.
    window.addEventListener("load", () => setTimeout(mend));
})();
