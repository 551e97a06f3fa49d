// What pages do beyond htmx. Each page is complete without it; what needs it is shown by `.scripted`.
"use strict";

document.documentElement.classList.add("scripted");

const COPIED_MILLISECONDS = 2000;

// A button that copies the text of another element. Where the browser keeps the clipboard to itself
// (a page that came over plain http), the text is selected instead, ready for Ctrl+C.
async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
  } catch {
    getSelection().selectAllChildren(source);
    return;
  }
  button.dataset.words ??= button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = button.dataset.words; }, COPIED_MILLISECONDS);
}

// Forms that were changed and not sent: leaving the page would lose what was typed.
const changed = new Set();

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-guard]");
  if (form) changed.add(form);
});

document.addEventListener("submit", (event) => changed.delete(event.target));

addEventListener("beforeunload", (event) => {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
});

// The switch to the other language opens the page anew. What was typed goes along within this tab, until
// the page is there; passwords and files stay behind.
const CARRIED = "carried";
const LEFT_BEHIND = ["hidden", "password", "file", "submit", "button"];
const TICKED = ["checkbox", "radio"];

const postedForms = () => [...document.querySelectorAll("main form[method=post]")];
const actionOf = (form) => (form.getAttribute("action") ?? "").split("?")[0];
const typedFields = (form) =>
  [...form.elements].filter((field) => field.name && !LEFT_BEHIND.includes(field.type));

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.language");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const forms = postedForms().map((form) => ({
    action: actionOf(form),
    fields: typedFields(form).map(({ name, value, checked }) => ({ name, value, checked })),
  }));
  sessionStorage.setItem(CARRIED, JSON.stringify({ path: link.pathname, forms }));
  changed.clear();
});

function takeCarried() {
  try {
    const carried = JSON.parse(sessionStorage.getItem(CARRIED));
    sessionStorage.removeItem(CARRIED);
    return carried?.path === location.pathname ? carried.forms : [];
  } catch {
    return []; // In another site's frame a browser may keep nothing for us.
  }
}

function fillInAgain(field, was) {
  const kind = TICKED.includes(field.type) ? "checked" : "value";
  if (field.name !== was?.name || field[kind] === was[kind]) return;
  field[kind] = was[kind];
  for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
}

document.addEventListener("DOMContentLoaded", () => {
  const carried = takeCarried();
  postedForms().forEach((form, index) => {
    if (carried[index]?.action !== actionOf(form)) return;
    typedFields(form).forEach((field, place) => fillInAgain(field, carried[index].fields[place]));
  });
});

// The clerk's desk, without the mouse: Ctrl+Enter sends the form, Escape goes back to the scanner.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const sent = "form[data-ctrl-enter]";
    (event.target.closest(sent) ?? document.querySelector(sent))?.requestSubmit();
  }
  if (event.key === "Escape") {
    const scanner = document.querySelector("[data-scan]");
    scanner?.focus();
    scanner?.select();
  }
});

// Whoever gets a form back with faults begins at what is wrong. On a page that loads, `autofocus` does
// it; in a part that was fetched anew it is done here, once for each answer.
const shown = new WeakSet();

function findNewFaults() {
  const faults = document.getElementById("errors");
  if (!faults || shown.has(faults)) return null;
  shown.add(faults);
  return faults;
}

document.addEventListener("DOMContentLoaded", findNewFaults);
document.addEventListener("htmx:after:swap", () => findNewFaults()?.focus());

// A part of the page that another process shows, and that does not answer: its lamp says so, until it
// answers again and is fetched anew.
for (const failure of ["htmx:error", "htmx:response:error"]) {
  document.addEventListener(failure, (event) => {
    const part = event.target.closest?.("[data-away]");
    const lamp = part?.querySelector(".lamp");
    if (!lamp) return;
    lamp.className = "lamp lamp--quiet";
    lamp.textContent = part.dataset.away;
  });
}
