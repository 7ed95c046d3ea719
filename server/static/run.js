/** A run's page as the run goes on: events and numbers come in one stream, everything else is drawn by the server. */
import { RunCharts } from "./charts/growth.js";
import { write } from "./charts/text.js";
import { addCopyButtons } from "./copy.js";
import { fetchPage, replace, say } from "./live.js";
import { eventLine, LogTail, trainerLine } from "./log.js";
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
/** How often the page was asked for, and which of these answers is shown. */
let asked = 0;
let shown = 0;

function moved() {
  if (Date.now() - drawnAt >= ANEW_MS) refreshSoon();
}

function refreshSoon() {
  due ??= setTimeout(refresh, 60);
}

async function refresh() {
  due = undefined;
  drawnAt = Date.now();
  const own = ++asked;
  const page = await fetchPage().catch(() => undefined);
  // An answer that was overtaken by a newer one says what was.
  if (!page || own < shown) return;
  shown = own;
  addCopyButtons(page);
  document.title = page.title;
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live=${part.dataset.live}]`);
    if (fresh) replace(part, fresh);
  }
  const { state, activity } = page.getElementById("run").dataset;
  Object.assign(root.dataset, { state, activity });
  showSections();
  growFrom(page);
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

// The logs: what the stream brings is put behind what is there; where something is missing, the server's page has it.

const logs = {};
/** Whether the trainer's log may have lines that neither the page nor the stream had. */
let isBehind = false;
function findLogs() {
  for (const name of ["events", "trainer"]) {
    const element = document.getElementById(name);
    if (element) logs[name] ??= new LogTail(element);
  }
}

function growEvents(entry) {
  const { events } = logs;
  if (entry.seq <= events.end) return;
  if (entry.seq > events.end + 1) return refreshSoon();
  events.append([eventLine(entry)]);
  events.end = entry.seq;
}

function growTrainer({ from, to, lines, cut }) {
  const { trainer } = logs;
  // The trainer has begun to write.
  if (!trainer) return refreshSoon();
  if (from === 0 && trainer.end > 0 || cut) trainer.fill(lines.map(trainerLine));
  else if (from === trainer.end) trainer.append(lines.map(trainerLine));
  // Some of them are missing here, or some are here already: the server has all of them.
  else if (to > trainer.end) return catchUp();
  else return;
  trainer.end = to;
}

function catchUp() {
  isBehind = true;
  refreshSoon();
}

/** Takes from a page drawn anew what the logs here do not have. */
function growFrom(page) {
  const fresh = page.getElementById("events");
  if (Number(fresh.dataset.end) > logs.events.end) {
    // Each line is an event: as many of the last ones are new as there were events since.
    const missing = Number(fresh.dataset.end) - logs.events.end;
    logs.events.append([...fresh.children].slice(-missing));
    logs.events.end = fresh.dataset.end;
  }
  const trainer = page.getElementById("trainer");
  if (!trainer) return;
  if (logs.trainer) {
    if (!isBehind || Number(trainer.dataset.end) < logs.trainer.end) return;
    logs.trainer.fill([...trainer.children]);
    logs.trainer.end = trainer.dataset.end;
  } else {
    document.getElementById("logs").innerHTML = page.getElementById("logs").innerHTML;
    delete logs.events;
    findLogs();
  }
  isBehind = false;
}

// The stream. The browser opens it again by itself, from the last event it has seen.

function listen() {
  const source = new EventSource(`${path}/events?from=${from}`);
  source.addEventListener("open", () => {
    say("live", "live");
    // What came while the stream was down, or before it was open.
    charts.load();
    catchUp();
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
  source.addEventListener("log", ({ data }) => growEvents(JSON.parse(data)));
  source.addEventListener("trainer", ({ data }) => growTrainer(JSON.parse(data)));
  source.addEventListener("metrics", ({ data }) => {
    charts.grow(JSON.parse(data));
    moved();
  });
  source.addEventListener("state", async ({ data }) => {
    const { state, activity } = JSON.parse(data);
    const hasEnded = ENDED.includes(state);
    if (!hasEnded && state === root.dataset.state && activity === root.dataset.activity) return;
    isBehind = true;
    try {
      await refresh();
      await charts.load();
    } finally {
      if (hasEnded) {
        source.close();
        say("done", state);
      }
    }
  });
  source.addEventListener("problem", ({ data }) => say("lost", JSON.parse(data).message));
  source.addEventListener("gone", () => {
    source.close();
    say("lost", "this run was removed");
  });
}

addCopyButtons();
findLogs();
showSections();
if (ENDED.includes(root.dataset.state)) charts.load();
else listen();
