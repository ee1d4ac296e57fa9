// What every page can do: keys, light and dark, notes on words, search; on a step's page the tabs,
// and the places in the diff that the text speaks of. Without this script the book can be read too.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
const place = document.body.dataset.place;
if (window.top !== window) document.documentElement.classList.add("framed");

// Light and dark ---------------------------------------------------------------------------------
const dark = matchMedia("(prefers-color-scheme: dark)");
const system = () => (dark.matches ? "dark" : "light");
const theme = () => document.documentElement.dataset.theme ?? system();

// Who chooses what the system says follows the system again.
function setTheme(name) {
  const own = name !== system();
  if (own) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  try {
    if (own) localStorage.setItem("theme", name);
    else localStorage.removeItem("theme");
  } catch {
    // Then it holds for this page only.
  }
  $$("iframe").forEach((frame) => frame.contentWindow.postMessage({ theme: name }, "*"));
  nameTheme();
}
function nameTheme() {
  const other = theme() === "dark" ? "light" : "dark";
  $("#theme").textContent = other;
  $("#theme").setAttribute("aria-label", `switch to ${other} colours`);
}
$("#theme").addEventListener("click", () => setTheme(theme() === "dark" ? "light" : "dark"));
dark.addEventListener("change", nameTheme);
addEventListener("message", (event) => {
  if (event.source === window.parent && ["light", "dark"].includes(event.data?.theme))
    document.documentElement.dataset.theme = event.data.theme;
});
nameTheme();

// Notes on words ---------------------------------------------------------------------------------
let tip;
function showTip(word) {
  hideTip();
  tip = make("div", { id: "tip", role: "tooltip", textContent: word.dataset.tip });
  document.body.append(tip);
  word.setAttribute("aria-describedby", "tip");
  const at = word.getClientRects()[0], own = tip.getBoundingClientRect();
  const below = at.bottom + 6 + own.height < innerHeight;
  tip.style.left = `${Math.max(8, Math.min(at.left, innerWidth - own.width - 8))}px`;
  tip.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - own.height - 6)}px`;
}
function hideTip() {
  tip?.remove();
  tip = undefined;
}
for (const word of $$("a.word")) {
  word.addEventListener("mouseenter", () => showTip(word));
  word.addEventListener("focus", () => showTip(word));
  word.addEventListener("mouseleave", hideTip);
  word.addEventListener("blur", hideTip);
}

// A step's page: tabs, places, stops ---------------------------------------------------------------
const pane = $(".pane");

function showPanel(name) {
  for (const panel of $$(".panel")) panel.hidden = panel.id !== name;
  for (const tab of $$(".tabs a")) {
    if (tab.hash === `#${name}`) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
}

// The element that a hash such as #engine/ops.py:12 means. Most lines have no id of their own.
function found(hash) {
  let name;
  try {
    name = decodeURIComponent(hash.replace(/^#/, ""));
  } catch {
    return undefined; // no address that this book has written
  }
  const direct = name && document.getElementById(name);
  if (direct) return direct;
  const [path, number] = name.split(":");
  const file = document.getElementById(path)?.closest(".file");
  return file && ($(`span[data-n="${+number}"], ins[data-n="${+number}"]`, file) ?? $("h3", file));
}

// In one column the code stands below the text.
const isBeside = () => getComputedStyle(pane).position === "sticky";
function reachPanel() {
  if (!isBeside()) $(".tabs").scrollIntoView();
}

// Beside the text the code scrolls alone; but it must not be above the end of both.
function reach(element, block) {
  const top = scrollY, { offsetTop, offsetHeight } = pane.parentElement;
  element.scrollIntoView({ block });
  if (isBeside() && pane.contains(element))
    scrollTo(0, Math.min(top, offsetTop + offsetHeight - innerHeight));
}

function goTo(hash) {
  const target = found(hash);
  if (!target) return;
  const panel = target.closest(".panel");
  if (panel) showPanel(panel.id);
  $$(".reached").forEach((element) => element.classList.remove("reached"));
  if (target.matches(".panel")) return reachPanel();
  const reached = target.tagName === "H3" ? target.closest("header") : target;
  if (panel) reached.classList.add("reached");
  reach(reached, target.closest("pre") ? "center" : "start");
  if (panel) setTimeout(() => light($(`a.stop[href="${CSS.escape(hash)}"]`)), 60);
}

const stops = $$("a.stop");
let current = -1;
function light(stop) {
  stops.forEach((other) => other.classList.toggle("lit", !!stop && other.hash === stop.hash));
}
function goToStop(step) {
  if (!stops.length) return;
  current = Math.max(0, Math.min(stops.length - 1, current + step));
  stops[current].scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", stops[current].hash);
  goTo(stops[current].hash);
  light(stops[current]);
}

// While the diff is scrolled: the last stop whose place has come into the upper half.
function reachedStop() {
  if (!stops.length || $("#diff").hidden) return;
  const middle = pane.getBoundingClientRect().top + pane.clientHeight / 2;
  let best, top = -Infinity;
  for (const stop of stops) {
    const box = found(stop.hash)?.getBoundingClientRect();
    if (box && box.top < middle && box.top > top) [best, top] = [stop, box.top];
  }
  light(best);
}

if (pane) {
  showPanel("diff");
  addEventListener("hashchange", () => (location.hash ? goTo(location.hash) : showPanel("diff")));
  for (const link of $$(".tabs a, .where a, a.stop"))
    link.addEventListener("click", (event) => {
      event.preventDefault();
      history.pushState(null, "", link.hash);
      current = stops.indexOf(link);
      if (link.closest(".tabs")) showPanel(link.hash.slice(1));
      else goTo(link.hash);
      if (current >= 0) light(link);
    });
  let waiting = false;
  pane.addEventListener("scroll", () => {
    if (!waiting) requestAnimationFrame(() => { waiting = false; reachedStop(); });
    waiting = true;
  });
  // A whole file opens beside the text, where there is room for it.
  for (const link of $$("a.whole", pane))
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || innerWidth < 1024) return;
      event.preventDefault();
      $("#whole")?.remove();
      const own = make("a", { href: link.href, textContent: "open as a page of its own" });
      const frame = make("iframe", { src: link.href, title: "the whole file" });
      const view = make("div", { id: "whole" }, make("p", {}, own), frame);
      $("#files h2").after(view);
      showPanel("files");
      pane.scrollTop = 0;
    });
  if (location.hash) goTo(location.hash);
  // As a page opens, the browser would go to the place as well, and move the text beside the code.
  const { hash, pathname } = location;
  if (isBeside() && pane.contains(found(hash) ?? null)) {
    history.replaceState(null, "", pathname);
    addEventListener("load", () => { if (!location.hash) history.replaceState(null, "", hash); });
  }
}

// A click on a line's number makes a link to it.
for (const lines of $$("pre.lines"))
  lines.addEventListener("click", (event) => {
    const line = event.target.closest("[data-n]");
    if (!line || event.offsetX > 50 || event.target !== line || line.tagName === "DEL") return;
    const file = line.closest(".file");
    const hash = file ? `#${$("h3", file).id}:${line.dataset.n}` : `#${line.id}`;
    history.replaceState(null, "", hash);
    $$(".reached").forEach((element) => element.classList.remove("reached"));
    line.classList.add("reached");
  });

// Search and keys ----------------------------------------------------------------------------------
let dialog;
function openDialog(...children) {
  dialog?.remove();
  const close = make("button", { type: "button", className: "close", textContent: "close" });
  dialog = make("dialog", {}, close, ...children);
  dialog.setAttribute("closedby", "any"); // a click beside it too
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", (event) => event.target.remove());
  document.body.append(dialog);
  dialog.showModal();
}
function openSearch() {
  const input = make("input", { type: "text", placeholder: "words, a function, a line of code" });
  input.setAttribute("aria-label", "search the book");
  const results = make("ol");
  results.setAttribute("aria-live", "polite");
  openDialog(input, results);
  const show = () => {
    if (window.searchBook) results.replaceChildren(...window.searchBook(input.value, place));
  };
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") $("a", results)?.click();
  });
  results.addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    const places = [input, ...$$("a", results)], at = places.indexOf(document.activeElement) + way;
    places[Math.max(0, Math.min(places.length - 1, at))].focus();
  });
  for (const name of ["search-index.js", "static/search.js"])
    if (!$(`script[src="${place}${name}"]`)) {
      const script = make("script", { src: place + name, async: false, onload: show });
      document.head.append(script);
    }
  input.focus();
}
$("#search").addEventListener("click", openSearch);

const KEYS = {
  "/": ["search", openSearch],
  ArrowLeft: ["previous page", () => $("nav.steps [rel=prev]")?.click()],
  ArrowRight: ["next page", () => $("nav.steps [rel=next]")?.click()],
  j: ["next place in the diff that the text names", () => goToStop(1)],
  k: ["the place before", () => goToStop(-1)],
  d: ["light or dark", () => $("#theme").click()],
  c: ["all steps", () => { location.href = `${place}contents.html`; }],
  "?": ["these keys", showKeys],
};
function showKeys() {
  const rows = Object.entries(KEYS).flatMap(([key, [words]]) => [
    make("dt", { textContent: key.replace("Arrow", "") }),
    make("dd", { textContent: words }),
  ]);
  const box = make("input", { type: "checkbox", checked: keysOn });
  box.addEventListener("change", () => keepKeys(box.checked));
  const note = "Without the tick a letter that is spoken, or slips, does nothing; the button ? stays.";
  const label = make("label", {}, box, "use these keys");
  const told = make("p", { className: "note", textContent: note });
  openDialog(make("h2", { textContent: "Keys" }), make("dl", {}, ...rows), label, told);
}
$("#keys").addEventListener("click", showKeys);

// Who speaks to the browser, or types beside a key, turns them off.
let keysOn = true;
function setKeys(on) {
  keysOn = on;
  $("#search kbd").hidden = !on;
  if (on) $("#search").setAttribute("aria-keyshortcuts", "/");
  else $("#search").removeAttribute("aria-keyshortcuts");
}
function keepKeys(on) {
  setKeys(on);
  try {
    if (on) localStorage.removeItem("keys");
    else localStorage.setItem("keys", "off");
  } catch {
    // Then it holds for this page only.
  }
}
try {
  setKeys(localStorage.getItem("keys") !== "off");
} catch {
  // A browser that keeps nothing has them on.
}
// A whole file beside the text, and the other tabs, follow.
addEventListener("storage", ({ key, newValue }) => key === "keys" && setKeys(newValue !== "off"));
addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTip();
  const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog[open]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  // Arrow keys scroll what is too wide for its place.
  const wide = event.target.closest?.("pre, .wide");
  if (wide && wide.scrollWidth > wide.clientWidth && event.key.startsWith("Arrow")) return;
  if (keysOn && KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key][1]();
  }
});
