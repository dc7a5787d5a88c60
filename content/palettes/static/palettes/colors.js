"use strict";

// Adds below each textarea of colors a color input for every color, and a button that adds one. The form sends the text.
(() => {
    const COLOR = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i;
    const MOST = 64;

    const words = (text) => text.split(/[\s,]+/).filter(Boolean);
    const long = (color) => (color.length === 4 ? "#" + [...color.slice(1)].map((digit) => digit + digit).join("") : color);

    const enhance = (area) => {
        const row = document.createElement("div");
        row.className = "palette-colors";
        area.after(row);

        const write = (colors) => {
            area.value = colors.join(" ");
            area.dispatchEvent(new Event("input", { bubbles: true }));
            area.dispatchEvent(new Event("change", { bubbles: true }));
        };
        const input = (color, place) => {
            const made = document.createElement("input");
            made.type = "color";
            made.value = long(color).toLowerCase();
            made.title = long(color).toUpperCase();
            made.setAttribute("aria-label", area.dataset.named.replace("%(number)s", place + 1));
            made.addEventListener("change", () => {
                const colors = words(area.value);
                colors[place] = made.value.toUpperCase();
                write(colors);
            });
            return made;
        };
        const wrong = (color) => {
            const made = document.createElement("span");
            made.className = "palette-wrong";
            made.title = area.dataset.wrong.replace("%(color)s", () => color);
            made.textContent = "?";
            return made;
        };
        const adder = document.createElement("button");
        adder.type = "button";
        adder.textContent = "+";
        adder.title = area.dataset.add;
        adder.addEventListener("click", () => {
            const colors = words(area.value);
            write([...colors, colors.at(-1) ?? "#808080"]);
        });
        const show = () => {
            const colors = words(area.value);
            row.replaceChildren(...colors.map((color, place) => (COLOR.test(color) ? input(color, place) : wrong(color))), adder);
            adder.disabled = colors.length >= MOST;
        };
        area.addEventListener("input", show);
        show();
    };

    document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("textarea[data-colors]").forEach(enhance));
})();
