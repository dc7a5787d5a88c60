// Dark or light, as the admin's switch was set last in this browser, else as the system is.
"use strict";

(() => {
    let chosen = '"auto"';
    try {
        chosen = localStorage.getItem("adminTheme") ?? chosen;
    } catch {
        // storage is forbidden
    }
    const isDark = chosen === '"dark"' || (chosen !== '"light"' && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.classList.toggle("dark", isDark);
})();
