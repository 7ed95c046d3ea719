/** What every page that follows something shares: replacing what the server drew anew, and saying how it goes. */

import { tick } from "./tick.js";

const pulse = document.getElementById("pulse");

/** `live`, `lost` or `done`, in the page's corner. */
export function say(kind, text) {
  pulse.className = `pulse ${kind}`;
  pulse.hidden = false;
  if (pulse.textContent !== text) pulse.textContent = text;
}

/** The page as the server draws it now; undefined when it cannot be had. */
export async function fetchPage() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  // The session has ended, as all do when the server is started anew: it asks for the token.
  if (response.status === 401) location.reload();
  if (!response.ok) return undefined;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** Puts new content into an element unless it is the same, and keeps what its reader was at: focus, scrolling, choices. */
export function replace(element, fresh) {
  // What ticks is not a difference.
  tick(fresh);
  if (element.innerHTML === fresh.innerHTML) return;
  const active = element.contains(document.activeElement)
    ? pathTo(element, document.activeElement)
    : undefined;
  const typed = [...element.querySelectorAll("input, select")].map((
    field,
  ) => [field.name, field.value, field.checked]);
  const open = new Map([...element.querySelectorAll("details")].map((part, i) => [part.id || i, part.open]));
  const scrolled = [...element.querySelectorAll("pre, .scroll")].map((
    part,
  ) => [part.scrollLeft, part.scrollTop]);
  element.innerHTML = fresh.innerHTML;
  for (const [name, value, checked] of typed) {
    const fields = [...element.querySelectorAll("input, select")].filter((field) => field.name === name);
    // A single box is told from others by its value too: it may be that of another run.
    if (fields.length === 1 && fields[0].type !== "checkbox") fields[0].value = value;
    else fields.filter((field) => field.value === value).forEach((field) => field.checked = checked);
  }
  element.querySelectorAll("details").forEach((part, i) => part.open = open.get(part.id || i) ?? part.open);
  element.querySelectorAll("pre, .scroll").forEach((part, i) => {
    if (scrolled[i]) [part.scrollLeft, part.scrollTop] = scrolled[i];
  });
  if (active) at(element, active)?.focus({ preventScroll: true });
}

function pathTo(from, element) {
  const path = [];
  for (let node = element; node !== from; node = node.parentElement) {
    path.unshift([...node.parentElement.children].indexOf(node));
  }
  return path;
}

function at(from, path) {
  return path.reduce((node, i) => node?.children[i], from);
}
