/** Links to the sections of a page, in a bar that stays in sight and says which of them one is in. */

const bar = document.getElementById("sections");
let watcher;

/** Call again when sections have come or gone. */
export function showSections() {
  const headings = [...document.querySelectorAll("main h2[id]")];
  const shown = [...bar.querySelectorAll("a")].map((link) => link.hash.slice(1));
  if (shown.join() !== headings.map(({ id }) => id).join()) {
    bar.replaceChildren(...headings.map(linkTo));
  }
  watcher?.disconnect();
  // The section whose heading was last to pass the upper third of the window.
  watcher = new IntersectionObserver(() => mark(headings), { rootMargin: "0px 0px -66% 0px" });
  for (const heading of headings) watcher.observe(heading);
}

function linkTo(heading) {
  const link = document.createElement("a");
  link.href = `#${heading.id}`;
  link.textContent = heading.firstChild.textContent;
  return link;
}

function mark(headings) {
  const third = innerHeight / 3;
  const current = headings.findLast((heading) => heading.getBoundingClientRect().top < third) ?? headings[0];
  for (const link of bar.querySelectorAll("a")) {
    if (link.hash === `#${current?.id}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
