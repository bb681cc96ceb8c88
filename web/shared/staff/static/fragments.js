// Keeps parts of a page up to date: asks for the page again, and changes only what differs. The page works without it.
//
// <div id="waiting" data-fragment data-every="5">: looks every five seconds, less often while answers are slow or fail,
// and not at all in a tab that nobody sees. What somebody types in or has the focus on is left as it is.
"use strict";
(() => {
  const LONGEST_MS = 60000;

  const key = (node) => (node.nodeType === Node.ELEMENT_NODE && (node.id || node.dataset.key)) || "";
  const same = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && key(one) === key(other);

  function isBusy(element) {
    if (element === document.activeElement) return true;
    if (element.type === "checkbox" || element.type === "radio") return element.checked !== element.defaultChecked;
    if (element.options) return [...element.options].some((option) => option.selected !== option.defaultSelected);
    return "defaultValue" in element && element.value !== element.defaultValue;
  }

  function morphAttributes(old, fresh) {
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }

  function morph(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) { old.nodeValue = fresh.nodeValue; return; }
    if (isBusy(old)) return;
    morphAttributes(old, fresh);
    morphChildren(old, fresh);
  }

  function morphChildren(old, fresh) {
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      let found = at;
      while (found && !same(found, wanted)) found = found.nextSibling;
      if (!found) { old.insertBefore(document.importNode(wanted, true), at); continue; }
      if (found !== at) old.insertBefore(found, at);
      else at = at.nextSibling;
      morph(found, wanted);
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      if (!gone.contains(document.activeElement)) gone.remove();
    }
  }

  async function look(parts) {
    // The header says that nobody did this, so that a page that is left open signs nobody in for longer.
    const answer = await fetch(location.href, { headers: { "X-Fragment": "1" }, redirect: "manual" });
    if (!answer.ok) {
      if (answer.type === "opaqueredirect" || answer.status === 403) location.reload();
      throw new Error(String(answer.status));
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts) {
      const fresh = page.getElementById(part.id);
      if (fresh) morphChildren(part, fresh);
    }
  }

  const parts = [...document.querySelectorAll("[data-fragment]")];
  if (!parts.length) return;
  const every = Math.min(...parts.map((part) => part.dataset.every * 1000));
  let wait = every, timer;

  async function turn() {
    const began = performance.now();
    try {
      if (!document.hidden) await look(parts);
      wait = Math.max(every, Math.min(LONGEST_MS, 250 * Math.sqrt(performance.now() - began)));
    } catch {
      wait = Math.min(LONGEST_MS, wait * 2);
    }
    timer = setTimeout(turn, wait);
  }

  timer = setTimeout(turn, every);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) { clearTimeout(timer); turn(); }
  });
})();
