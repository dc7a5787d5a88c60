// Show the API's description, without the logo that ReDoc would fetch from its maker.
"use strict";

(() => {
    const set = Element.prototype.setAttribute;
    HTMLImageElement.prototype.setAttribute = function (name, value) {
        const isOutside = name === "src" && new URL(value, location).origin !== location.origin;
        if (!isOutside || value.startsWith("data:")) set.call(this, name, value);
    };
    const element = document.getElementById("redoc");
    Redoc.init(element.dataset.description, {}, element);
})();
