// What every page has. Everything works without it.
"use strict";
(() => {
  // A page that comes back out of the browser's own memory is asked for again.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  const errors = document.querySelector("[data-errors]");
  if (errors) errors.focus();

  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", () => { setTimeout(() => { form.querySelector("button").disabled = true; }, 0); });
  }
})();
