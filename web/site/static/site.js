// Makes leaving faster and warns before the time is up. Everything works without it.
"use strict";
(() => {
  const SHIFTS = 3, WITHIN_MS = 5000;

  function leave() {
    document.documentElement.classList.add("gone");
    document.title = "…";
    location.replace(document.querySelector("a[data-leave]").href);
  }

  for (const link of document.querySelectorAll("a[data-leave]")) {
    link.addEventListener("click", (event) => { event.preventDefault(); leave(); });
  }

  let presses = [];
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Shift") { if (presses.length) { presses = []; show(); } return; }
    if (event.repeat) return;
    presses = [...presses.filter((at) => event.timeStamp - at < WITHIN_MS), event.timeStamp];
    if (presses.length >= SHIFTS && document.querySelector("a[data-leave]")) leave();
    else show();
  });

  // How often Shift was pressed, to be seen and heard, until it counts no longer.
  let fading;
  function show() {
    const dots = document.querySelector("[data-presses]"), said = document.querySelector("[data-leave-again]");
    if (!dots) return;
    dots.hidden = presses.length === 0;
    [...dots.children].forEach((dot, number) => dot.classList.toggle("on", number < presses.length));
    said.textContent = presses.length === SHIFTS - 1 ? said.dataset.leaveAgain : "";
    clearTimeout(fading);
    fading = setTimeout(() => { presses = []; show(); }, WITHIN_MS);
  }

  const warning = document.getElementById("warning");
  if (!warning) return;
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("visit") : new EventTarget();
  let timers = [];
  function watch() {
    if (warning.open) warning.close();
    timers.forEach(clearTimeout);
    timers = [
      setTimeout(() => warning.showModal(), warning.dataset.after * 1000),
      setTimeout(() => location.replace(warning.dataset.closed), warning.dataset.end * 1000),
    ];
  }
  async function stay() {
    const body = new URLSearchParams({ csrf: warning.dataset.csrf });
    const answer = await fetch(warning.dataset.stay, { method: "POST", body }).catch(() => null);
    if (answer && answer.status === 204) here();
    else location.replace(warning.dataset.closed);
  }
  warning.querySelector("[data-stay]").addEventListener("click", stay);
  // Whoever puts the question away with Esc is there.
  warning.addEventListener("cancel", (event) => { event.preventDefault(); stay(); });
  // Whoever goes on in one tab is still there in all of them.
  function here() { tabs.postMessage?.("here"); watch(); }
  tabs.addEventListener("message", watch);
  here();
})();
