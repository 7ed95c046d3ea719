/** Buttons that copy: they are added by script, so that without it there is none that does nothing. */

const SVG = "http://www.w3.org/2000/svg";
const SHOWN_MS = 1500;
const said = document.createElement("p");
said.className = "unseen";
said.setAttribute("role", "status");
document.body.append(said);

/** Puts a button behind everything in `root` that says it is to be copied. */
export function addCopyButtons(root = document) {
  for (const element of root.querySelectorAll("[data-copy]")) {
    if (element.nextElementSibling?.classList.contains("copy")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.title = `Copy ${element.dataset.what}`;
    button.setAttribute("aria-label", `Copy ${element.dataset.what}`);
    button.append(icon());
    element.after(button);
  }
}

function icon() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z");
  svg.append(path);
  return svg;
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("button.copy");
  if (!button) return;
  const element = button.previousElementSibling;
  const what = element.dataset.what;
  const done = await copy(element.dataset.copy || element.textContent);
  // A screen reader says again only what has changed.
  said.textContent = "";
  said.textContent = done ? `Copied the ${what}` : `Could not copy the ${what}`;
  button.classList.add(done ? "copied" : "refused");
  setTimeout(() => button.classList.remove("copied", "refused"), SHOWN_MS);
});

/** Pages that came over plain HTTP from another machine have no clipboard of their own. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

function copySelected(text) {
  const active = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  active?.focus({ preventScroll: true });
  return done;
}
