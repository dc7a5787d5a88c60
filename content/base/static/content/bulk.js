// Tick a field of a bulk edit as soon as a value is given for it.
document.querySelectorAll("#bulk-form fieldset[data-field]").forEach((field) => {
  const tick = field.querySelector("legend input[type=checkbox]");
  const note = (event) => { if (event.target !== tick) tick.checked = true; };
  field.addEventListener("input", note);
  field.addEventListener("change", note);
});
