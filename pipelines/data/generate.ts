// Writes the example data beside this file. home: spoken home commands and the action they mean. tools (tools.ts): the
// tool calls they mean. rooms (reasoning.ts): a way through rooms, thought step by step.
// The same rows every time. Train and eval share neither a wording nor a command nor an answer, and some rooms and
// devices occur in eval only: a model that scores there has learnt the task, not the rows.
import { dirname, join } from "../../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { denoFs, sha256 } from "../../src/lib/files/fs.ts";
import { generator } from "./random.ts";
import { roomRows } from "./reasoning.ts";
import { toolRows } from "./tools.ts";

const SEED = 11;
const ROWS = { train: 240, eval: 60 };

export type Side = keyof typeof ROWS;
export type HomeRow = { readonly command: string; readonly action: string };

type Family = {
  readonly verbs: readonly string[];
  readonly devices: Record<Side, readonly string[]>;
  readonly values: readonly number[];
  /** `{verb}` `{device}` `{room}` `{value}` stand for the parts; */
  readonly wordings: Record<Side, readonly Wording[]>;
};
/** A sentence, and the verb it is for where it does not fit all of the family's. */
type Wording = string | { readonly [verb: string]: string };

const ROOMS: Record<Side, readonly string[]> = {
  train: [
    "kitchen",
    "bedroom",
    "office",
    "bathroom",
    "garage",
    "cellar",
    "attic",
    "study",
    "dining room",
    "guest room",
  ],
  eval: ["hallway", "nursery", "workshop", "living room", "library"],
};

const steps = (from: number, to: number, by: number) =>
  Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, i) => from + i * by);

const SWITCH: Family = {
  verbs: ["on", "off"],
  devices: {
    train: ["lamp", "fan", "radio", "heater", "speaker", "charger", "printer", "humidifier", "night light"],
    eval: ["tv", "projector", "coffee machine", "ceiling fan"],
  },
  values: [],
  wordings: {
    train: [
      "turn {verb} the {device} in the {room}",
      "switch the {room} {device} {verb}",
      "{room} {device} {verb}",
      "I want the {device} {verb} in the {room}",
      "in the {room}, turn the {device} {verb}",
      { on: "start the {device} in the {room}", off: "stop the {device} in the {room}" },
      { on: "power up the {room} {device}", off: "shut down the {room} {device}" },
      { on: "put the {room} {device} on", off: "kill the {device} in the {room}" },
      { on: "activate the {device} in the {room}", off: "deactivate the {device} in the {room}" },
      { on: "we need the {device} in the {room}", off: "nobody needs the {device} in the {room}" },
    ],
    eval: [
      "{verb} with the {device} in the {room}",
      "could you switch {verb} the {device} in the {room}",
      "make sure the {room} {device} is {verb}",
      { on: "get the {device} in the {room} started", off: "the {device} in the {room} can be shut down" },
    ],
  },
};

const DIM: Family = {
  verbs: ["dim"],
  devices: {
    train: ["lamp", "night light", "spotlight", "floor lamp", "desk lamp", "mirror light"],
    eval: ["ceiling light", "chandelier", "lantern"],
  },
  values: steps(5, 95, 5),
  wordings: {
    train: [
      "dim the {device} in the {room} to {value} percent",
      "{room} {device} to {value} percent",
      "set the {room} {device} to {value} percent",
      "lower the {device} in the {room} to {value} percent",
      "{value} percent for the {device} in the {room}",
      "I want the {room} {device} at {value} percent",
    ],
    eval: [
      "bring the {device} in the {room} to {value} percent",
      "could you dim the {room} {device} to {value} percent",
      "in the {room}, {value} percent on the {device} is enough",
    ],
  },
};

const HEAT: Family = {
  verbs: ["set"],
  devices: {
    train: ["thermostat", "heating", "floor heating"],
    eval: ["radiator", "air conditioner"],
  },
  values: steps(15, 26, 1),
  wordings: {
    train: [
      "set the {device} in the {room} to {value} degrees",
      "{room} {device} to {value} degrees",
      "{value} degrees in the {room} with the {device}",
      "turn the {room} {device} to {value} degrees",
      "I want {value} degrees from the {device} in the {room}",
      "put the {device} in the {room} at {value} degrees",
    ],
    eval: [
      "bring the {room} {device} to {value} degrees",
      "could you set the {room} {device} at {value} degrees",
      "make the {device} in the {room} go to {value} degrees",
    ],
  },
};

const COVER: Family = {
  verbs: ["open", "close"],
  devices: {
    train: ["window", "door", "blinds", "curtains", "roof window", "roller blind"],
    eval: ["shutters", "skylight", "awning"],
  },
  values: [],
  wordings: {
    train: [
      "{verb} the {device} in the {room}",
      "{verb} the {room} {device}",
      "I want the {device} in the {room} to {verb}",
      { open: "{room} {device} up", close: "{room} {device} down" },
      { open: "raise the {device} in the {room}", close: "lower the {device} in the {room}" },
      { open: "open up the {room} {device}", close: "shut the {device} in the {room}" },
      {
        open: "the {device} in the {room} should be open",
        close: "the {device} in the {room} should be shut",
      },
    ],
    eval: [
      "could you {verb} the {device} in the {room}",
      "in the {room}, {verb} the {device}",
      { open: "the {room} {device} must go up", close: "the {room} {device} must be shut" },
    ],
  },
};

const FAMILIES = [SWITCH, DIM, HEAT, COVER];

/** The committed rows of one side. */
export function homeRows(side: Side): HomeRow[] {
  const random = generator(side === "train" ? SEED : SEED + 1);
  const rows = new Map<string, HomeRow>();
  while (rows.size < ROWS[side]) {
    const row = draw(FAMILIES[rows.size % FAMILIES.length]!, side, random);
    // Each eval row asks for something else, so that no answer counts twice.
    const key = side === "eval" ? row.action : row.command;
    if (sideOf(row.action) === side && !rows.has(key)) {
      rows.set(key, { ...row, command: speak(row.command, random) });
    }
  }
  return [...rows.values()];
}

function draw(family: Family, side: Side, random: () => number): HomeRow {
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  // Half of eval's rooms and devices are known from training: in combinations that training never shows.
  const known = (names: Record<Side, readonly string[]>) =>
    side === "train" || random() < 0.5 ? names.train : names.eval;
  const verb = pick(family.verbs);
  const device = pick(known(family.devices));
  const room = pick(known(ROOMS));
  const value = family.values.length > 0 ? String(pick(family.values)) : undefined;
  const wording = pick(family.wordings[side]);
  const action = `do: ${verb}, what: ${device}, where: ${room}${value ? `, to: ${value}` : ""}`;
  const sentence = typeof wording === "string" ? wording : wording[verb]!;
  const parts: Record<string, string> = { verb, device, room, value: value ?? "" };
  const command = sentence.replace(/\{(\w+)\}/g, (_, name: string) => parts[name]!);
  return { command, action };
}

/** Decides by hash, so that no answer can stand on both sides. */
function sideOf(action: string): Side {
  return parseInt(sha256(action).slice(0, 8), 16) % 4 === 0 ? "eval" : "train";
}

/** What speech to text makes of it: now and then a capital, a full stop, a courtesy. */
function speak(command: string, random: () => number): string {
  const before = random() < 0.2 ? (random() < 0.5 ? "hey, " : "ok, ") : "";
  const polite = `${before}${command}${random() < 0.2 ? " please" : ""}`;
  const cased = random() < 0.4 ? polite[0]!.toUpperCase() + polite.slice(1) : polite;
  return random() < 0.25 ? `${cased}.` : cased;
}

/** The committed files of one side, by name. */
export function files(side: Side): Readonly<Record<string, string>> {
  return {
    [`home.${side}.jsonl`]: jsonLines(homeRows(side)),
    [`tools.${side}.jsonl`]: jsonLines(toolRows(side)),
    [`rooms.${side}.jsonl`]: jsonLines(roomRows(side)),
  };
}

function jsonLines(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

if (import.meta.main) {
  const folder = dirname(fileURLToPath(import.meta.url));
  for (const [name, text] of (["train", "eval"] as const).flatMap((side) => Object.entries(files(side)))) {
    await denoFs.writeAtomic(join(folder, name), text);
  }
}
