// Typing another value also selects it.
for (const other of document.querySelectorAll("[data-other]")) {
    const radio = other.querySelector("input[type=radio]");
    other.addEventListener("input", (event) => {
        if (event.target !== radio) radio.checked = true;
    });
}
