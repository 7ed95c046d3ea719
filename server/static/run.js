/** A run's page as the run goes on: events and numbers come in one stream, everything else is drawn by the server. */
import { RunCharts } from "./charts/growth.js";
import { write } from "./charts/text.js";
import { fetchPage, replace, say } from "./live.js";
import { showSections } from "./sections.js";

const root = document.getElementById("run");
const { id, from } = root.dataset;
const path = `/runs/${encodeURIComponent(id)}`;
const ENDED = ["done", "failed", "cancelled"];

const charts = new RunCharts(id);

// The rest of the page: the server draws it anew after each event that changes more than a number.

/** How often a page whose numbers move is drawn anew, for the time left and what else follows from them. */
const ANEW_MS = 10_000;
let due;
let drawnAt = Date.now();

function moved() {
  if (Date.now() - drawnAt >= ANEW_MS) refreshSoon();
}

function refreshSoon() {
  due ??= setTimeout(refresh, 60);
}

async function refresh() {
  due = undefined;
  drawnAt = Date.now();
  const page = await fetchPage().catch(() => undefined);
  if (!page) return;
  document.title = page.title;
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live=${part.dataset.live}]`);
    if (fresh) replace(part, fresh);
  }
  const { state, activity } = page.getElementById("run").dataset;
  Object.assign(root.dataset, { state, activity });
  addCopyButtons();
  showSections();
  follow();
}

/** Progress changes words and a bar that are there already. */
function showProgress({ phase, done, total, unit, metrics }) {
  const text = document.querySelector("[data-progress=text]");
  const bar = document.querySelector("[data-progress=bar]");
  if (!text || done === undefined || !bar || bar.max !== total) return refreshSoon();
  bar.value = done;
  const { smoothed, loss } = metrics ?? {};
  const speed = metrics?.tokens_per_second;
  const amount = unit === "bytes"
    ? ""
    : ` ${done.toLocaleString("en")}/${total.toLocaleString("en")} ${unit ?? ""}`;
  const parts = [
    smoothed !== undefined ? `smoothed loss ${write(smoothed)}` : "",
    smoothed === undefined && loss !== undefined ? `loss ${write(loss)}` : "",
    speed === undefined ? "" : `${Math.round(speed)} tokens/s`,
  ];
  moved();
  text.textContent = [`${phase}${amount}`.trim(), ...parts].filter((part) => part !== "").join(", ");
}

/** The end of the log stays in sight unless one has scrolled up to read. */
function follow() {
  const log = document.getElementById("events");
  if (log && !log.matches(":hover, :focus")) log.scrollTop = log.scrollHeight;
}

function addCopyButtons() {
  if (!navigator.clipboard) return;
  for (const code of document.querySelectorAll(".next code")) {
    if (code.nextElementSibling) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
      setTimeout(() => button.textContent = "Copy", 1500);
    });
    code.after(button);
  }
}

// The stream. The browser opens it again by itself, from the last event it has seen.

function listen() {
  const source = new EventSource(`${path}/events?from=${from}`);
  source.addEventListener("open", () => {
    say("live", "live");
    // What came while the stream was down.
    charts.load();
  });
  source.addEventListener("error", () => {
    const closed = source.readyState === EventSource.CLOSED;
    say("lost", closed ? "ended" : "reconnecting");
    if (closed) refresh();
  });
  source.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    root.dataset.seq = String(event.seq);
    if (event.type === "step.progress" && event.message === undefined) showProgress(event);
    else refreshSoon();
  });
  source.addEventListener("metrics", ({ data }) => {
    charts.grow(JSON.parse(data));
    moved();
  });
  source.addEventListener("state", async ({ data }) => {
    const { state, activity } = JSON.parse(data);
    if (state !== root.dataset.state || activity !== root.dataset.activity) {
      await refresh();
      await charts.load();
    }
    if (!ENDED.includes(state)) return;
    source.close();
    say("done", state);
  });
  source.addEventListener("problem", ({ data }) => say("lost", JSON.parse(data).message));
  source.addEventListener("gone", () => {
    source.close();
    say("lost", "this run was removed");
  });
}

addCopyButtons();
showSections();
follow();
if (ENDED.includes(root.dataset.state)) charts.load();
else listen();
