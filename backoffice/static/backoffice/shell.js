// Make the theme's controls usable by keyboard and by name: some are plain elements that only a click reaches.
"use strict";

(() => {
    const CONTROLS = "a[href], button, input, select, textarea, label, summary, [role]";

    function nameIcons() {
        const words = document.getElementById("shell-skip")?.dataset ?? {};
        const names = { dock_to_right: words.navigation, close: words.close };
        for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
            const name = names[icon.textContent.trim()];
            if (icon.hasAttribute("x-on:click") && name) icon.setAttribute("aria-label", name);
            else icon.setAttribute("aria-hidden", "true"); // its text is the name of a picture
        }
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

    function press(event) {
        if (event.target.matches?.('[role="button"]') && (event.key === "Enter" || event.key === " ")) {
            event.preventDefault();
            event.target.click();
        }
    }

    document.addEventListener("keydown", press);
    window.addEventListener("load", () => {
        nameIcons();
        makeButtons();
        nameChoices();
    });
})();
