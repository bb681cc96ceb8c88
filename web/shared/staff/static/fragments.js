// Keeps parts of a page up to date: asks for the page again, and changes only what differs. The page works without it.
//
// <div id="waiting" data-fragment data-every="5" data-topics="queue:waiting">: looks when the stream of changes names the
// topic; without the stream every five seconds, less often while answers are slow or fail. Not at all in a tab that nobody
// sees. What somebody types in or has the focus on is left as it is.
"use strict";
(() => {
  const LONGEST_MS = 60000, LIVE_MS = 40000;

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

  // Rows that are new wait until they are asked for, and those that are gone stay, greyed: nothing moves under a cursor.
  function hold(part, fresh) {
    for (const body of part.querySelectorAll("[data-hold]")) {
      const wanted = fresh.querySelector("[data-hold]");
      if (!wanted) continue;
      const anew = new Map([...wanted.children].map((row) => [key(row), row]));
      const there = [...body.children], known = new Set(there.map(key));
      const gone = there.filter((row) => !anew.has(key(row)));
      const added = [...anew.keys()].filter((one) => !known.has(one)).length;
      wanted.replaceChildren(...there.map((row) => anew.get(key(row)) || row.cloneNode(true)));
      for (const row of wanted.children) row.classList.toggle("gone", !anew.has(key(row)));
      const told = fresh.querySelector("[data-told]");
      const said = [added && `${added} new`, gone.length && `${gone.length} no longer here`].filter(Boolean).join(", ");
      if (told) told.hidden = !said;
      if (told && said) told.querySelector("span").textContent = said;
    }
  }

  async function look(parts, release) {
    // The header says that nobody did this, so that a page that is left open signs nobody in for longer.
    const answer = await fetch(location.href, { headers: { "X-Fragment": "1" }, redirect: "manual" });
    // A page that can't be shown any more still says what every page says: whether a concern is open.
    if (!answer.ok && answer.status !== 409 && answer.status !== 503) {
      if (answer.type === "opaqueredirect" || answer.status === 403) location.reload();
      throw new Error(String(answer.status));
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts) {
      const fresh = page.getElementById(part.id);
      if (!fresh) continue;
      if (!release) hold(part, fresh);
      morphChildren(part, fresh);
    }
  }

  const parts = [...document.querySelectorAll("[data-fragment]")];
  if (!parts.length) return;
  const every = Math.min(...parts.map((part) => part.dataset.every * 1000));
  let wait = every, timer, heard = -Infinity, isLooking = false, again = false;

  // While the stream of changes is heard there is nothing to look for without it.
  const isLive = () => performance.now() - heard < LIVE_MS;

  async function turn(release = false) {
    clearTimeout(timer);
    if (isLooking) { again = true; return; }
    isLooking = true;
    const began = performance.now();
    try {
      if (!document.hidden) await look(parts, release);
      wait = isLive() ? LONGEST_MS : Math.max(every, Math.min(LONGEST_MS, 250 * Math.sqrt(performance.now() - began)));
    } catch {
      wait = Math.min(LONGEST_MS, wait * 2);
    }
    isLooking = false;
    timer = setTimeout(turn, again ? 0 : wait);
    again = false;
  }

  const isAbout = (part, topics) => (part.dataset.topics || "").split(" ").some((wanted) => topics.some((topic) =>
    topic === "everything" || topic === wanted || (wanted.endsWith("*") && topic.startsWith(wanted.slice(0, -1)))));

  timer = setTimeout(turn, every);
  document.addEventListener("changed", ({ detail }) => {
    heard = performance.now();
    if (parts.some((part) => isAbout(part, detail))) turn();
  });
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-told] button")) turn(true);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) turn();
  });

  // One stream a browser, not a tab: the tab that has the lock listens, and passes on what it hears. Browsers give a
  // site six connections.
  const address = document.documentElement.dataset.changes;
  if (!address || !window.EventSource) return;
  const others = new BroadcastChannel("changes");
  const tell = (topics) => document.dispatchEvent(new CustomEvent("changed", { detail: topics }));
  others.onmessage = ({ data }) => tell(data);
  const listen = () => new Promise(() => {
    const source = new EventSource(address);
    for (const kind of ["changed", "ping"]) source.addEventListener(kind, ({ data }) => {
      const topics = JSON.parse(data);
      others.postMessage(topics);
      tell(topics);
    });
  });
  if (navigator.locks) navigator.locks.request("changes", listen);
  else listen();
})();
