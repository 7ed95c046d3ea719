/** A run's page as the run goes on: events and numbers come in one stream, everything else is drawn by the server. */
import { Chart, write } from "./chart.js";
import { addCopyButtons } from "./copy.js";
import { fetchPage, replace, say } from "./live.js";
import { eventLine, LogTail, trainerLine } from "./log.js";

const root = document.getElementById("run");
const { id, from } = root.dataset;
const path = `/runs/${encodeURIComponent(id)}`;
const ENDED = ["done", "failed", "cancelled"];

// The charts: asked for whole, then grown by what the stream brings.

const charts = [...document.querySelectorAll("figure[data-chart]")].map((figure) => new Chart(figure));
const SERIES = {
  loss: ["loss", "smoothed", "eval_loss"],
  "learning_rate": ["learning_rate"],
  "tokens_per_second": ["tokens_per_second"],
  memory: ["rss"],
};
/** More than this and the server is asked to draw anew with fewer. */
const MOST = 4000;
let drawn = {};
let reached;
let loading;

function load() {
  return loading ??= fetchCharts().finally(() => loading = undefined);
}

async function fetchCharts() {
  const response = await fetch(`/api/runs/${encodeURIComponent(id)}/metrics`);
  if (!response.ok) return;
  const { charts: all, end } = await response.json();
  drawn = all;
  reached = end;
  await addEval();
  draw();
}

/** The loss on held-out rows is known before and after training, as its first and last point. */
async function addEval() {
  const loss = drawn.loss;
  if (!loss || loss.series.eval_loss || loss.steps.length === 0) return;
  const response = await fetch(`/api/runs/${encodeURIComponent(id)}`);
  const { before, after } = (response.ok ? (await response.json()).metrics.loss : undefined) ?? {};
  if (typeof before !== "number" && typeof after !== "number") return;
  const last = loss.steps.at(-1);
  const points = new Map([[0, before], [last, after]].filter(([, value]) => typeof value === "number"));
  if (points.has(0) && loss.steps[0] !== 0) {
    loss.steps.unshift(0);
    for (const values of Object.values(loss.series)) values.unshift(null);
  }
  loss.series.eval_loss = loss.steps.map((step) => points.get(step) ?? null);
}

function draw() {
  for (const chart of charts) {
    const data = drawn[chart.name];
    if (data) chart.show(data.steps, data.series);
  }
}

function grow({ from, to, points }) {
  if (reached === undefined || to <= reached && from < to && from !== 0) return;
  // Lines were missed, or it is another file by now.
  if (from > reached || from === 0 || !points) return load();
  reached = to;
  for (const [name, series] of Object.entries(SERIES)) {
    for (const point of points) add(drawn[name], series, point);
  }
  if (Object.values(drawn).some(({ steps }) => steps.length > MOST)) load();
  else draw();
}

/** A step that comes again replaces what lies at and behind it: the training went back to a checkpoint. */
function add(data, names, point) {
  if (!data || names.every((name) => point[name] === undefined)) return;
  const { steps, series } = data;
  while (steps.length > 0 && steps.at(-1) >= point.step) {
    steps.pop();
    for (const values of Object.values(series)) values.pop();
  }
  for (const name of names) {
    if (point[name] !== undefined) series[name] ??= steps.map(() => null);
  }
  steps.push(point.step);
  for (const [name, values] of Object.entries(series)) values.push(point[name] ?? null);
}

// The rest of the page: the server draws it anew after each event that changes more than a number.

let due;
function refreshSoon() {
  due ??= setTimeout(refresh, 60);
}

async function refresh() {
  due = undefined;
  const page = await fetchPage().catch(() => undefined);
  if (!page) return;
  addCopyButtons(page);
  document.title = page.title;
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live=${part.dataset.live}]`);
    if (fresh) replace(part, fresh);
  }
  root.dataset.state = page.getElementById("run").dataset.state;
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
    smoothed !== undefined ? `smoothed loss ${write("loss", smoothed)}` : "",
    smoothed === undefined && loss !== undefined ? `loss ${write("loss", loss)}` : "",
    speed === undefined ? "" : `${Math.round(speed)} tokens/s`,
  ];
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
    load();
    catchUp();
  });
  source.addEventListener(
    "error",
    () => say("lost", source.readyState === EventSource.CLOSED ? "ended" : "reconnecting"),
  );
  source.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    root.dataset.seq = String(event.seq);
    if (event.type === "step.progress" && event.message === undefined) showProgress(event);
    else refreshSoon();
  });
  source.addEventListener("log", ({ data }) => growEvents(JSON.parse(data)));
  source.addEventListener("trainer", ({ data }) => growTrainer(JSON.parse(data)));
  source.addEventListener("metrics", ({ data }) => grow(JSON.parse(data)));
  source.addEventListener("state", async ({ data }) => {
    const { state, stalled } = JSON.parse(data);
    if (state !== root.dataset.state || stalled !== (root.dataset.stalled === "true")) {
      root.dataset.stalled = String(stalled);
      isBehind = true;
      await refresh();
      await load();
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
findLogs();
if (ENDED.includes(root.dataset.state)) load();
else listen();
