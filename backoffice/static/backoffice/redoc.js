// Show the API's description.
"use strict";

(() => {
    const element = document.getElementById("redoc");
    Redoc.init(element.dataset.description, {}, element);
})();
