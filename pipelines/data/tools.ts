// Spoken home commands, and the tool call each of them means; some ask for what no tool does.
import { sha256 } from "../../src/lib/files/fs.ts";
import { generator } from "./random.ts";

const SEED = 31;
const ROWS = { train: 160, eval: 40 };
/** One row in so many asks for what no tool does. */
const REFUSED = 4;

type Side = keyof typeof ROWS;
type Arguments = Readonly<Record<string, string | number | boolean>>;
export type ToolRow = {
  readonly messages: readonly [
    { readonly role: "user"; readonly content: string },
    {
      readonly role: "assistant";
      readonly content: string;
      readonly tool_calls?: readonly [
        {
          readonly type: "function";
          readonly function: { readonly name: string; readonly arguments: string };
        },
      ];
    },
  ];
  readonly tools: readonly Tool[];
};

interface Tool {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description: string; readonly parameters: unknown };
}

function tool(name: string, description: string, argument: string, type: string): Tool {
  const properties = { room: { type: "string" }, [argument]: { type } };
  const parameters = { type: "object", required: Object.keys(properties), properties };
  return { type: "function", function: { name, description, parameters } };
}

const TOOLS: readonly Tool[] = [
  tool("light", "Switch the light", "on", "boolean"),
  tool("heat", "Set the heating", "degrees", "integer"),
  tool("blinds", "Move the blinds", "open", "boolean"),
];

const ROOMS: Record<Side, readonly string[]> = {
  train: ["kitchen", "bedroom", "office", "bathroom", "garage", "cellar", "attic", "study", "dining room"],
  eval: ["hallway", "nursery", "workshop", "living room", "library"],
};

/** `{room}` stands for the room, `{value}` for degrees; each wording means one value where the tool takes a boolean. */
type Wordings = Readonly<Record<Side, readonly (readonly [text: string, value: boolean | null])[]>>;

const CALLS: Readonly<Record<string, { readonly argument: string; readonly wordings: Wordings }>> = {
  light: {
    argument: "on",
    wordings: {
      train: [
        ["turn on the light in the {room}", true],
        ["turn off the light in the {room}", false],
        ["switch the {room} light on", true],
        ["switch the {room} light off", false],
        ["it is too dark in the {room}", true],
        ["nobody is in the {room}, light off", false],
      ],
      eval: [
        ["light on in the {room}", true],
        ["could you switch off the light in the {room}", false],
        ["the {room} light can go off", false],
        ["make sure the light in the {room} is on", true],
      ],
    },
  },
  heat: {
    argument: "degrees",
    wordings: {
      train: [
        ["set the {room} to {value} degrees", null],
        ["{value} degrees in the {room}", null],
        ["heat the {room} to {value} degrees", null],
        ["I want {value} degrees in the {room}", null],
      ],
      eval: [
        ["bring the {room} to {value} degrees", null],
        ["the {room} should have {value} degrees", null],
        ["could you make it {value} degrees in the {room}", null],
      ],
    },
  },
  blinds: {
    argument: "open",
    wordings: {
      train: [
        ["open the blinds in the {room}", true],
        ["close the blinds in the {room}", false],
        ["{room} blinds up", true],
        ["{room} blinds down", false],
        ["raise the {room} blinds", true],
        ["lower the {room} blinds", false],
      ],
      eval: [
        ["could you open the {room} blinds", true],
        ["the blinds in the {room} must be closed", false],
        ["in the {room}, blinds up", true],
        ["let the {room} blinds down", false],
      ],
    },
  },
};

/** What no tool does, and the answer to it. */
const ELSE: Record<Side, readonly string[]> = {
  train: [
    "play some music in the {room}",
    "lock the door of the {room}",
    "start the vacuum in the {room}",
    "call the {room}",
    "who is in the {room}",
    "open the window in the {room}",
    "turn on the radio in the {room}",
    "turn off the oven in the {room}",
    "start the fan in the {room}",
    "close the door of the {room}",
    "feed the cat in the {room}",
    "tidy up the {room}",
    "is the {room} free",
    "make coffee in the {room}",
    "show me the {room}",
  ],
  eval: [
    "turn the tv in the {room} on",
    "water the plants in the {room}",
    "is anybody in the {room}",
    "take a picture of the {room}",
  ],
};
export const REFUSAL = "I have no tool for that.";

/** The committed rows of one side: no command twice, and none on both sides. */
export function toolRows(side: Side): ToolRow[] {
  const random = generator(side === "train" ? SEED : SEED + 1);
  const rows = new Map<string, ToolRow>();
  const names = Object.keys(CALLS);
  while (rows.size < ROWS[side]) {
    const n = rows.size;
    const row = n % REFUSED === REFUSED - 1 ? refused(side, random) : called(side, names[n % 3]!, random);
    const key = row.messages[0].content.toLowerCase();
    if (!rows.has(key) && belongs(row, side)) rows.set(key, row);
  }
  return [...rows.values()];
}

function called(side: Side, name: string, random: () => number): ToolRow {
  const { argument, wordings } = CALLS[name]!;
  const room = roomOf(side, random);
  const [wording, fixed] = pick(wordings[side], random);
  const value = fixed ?? 15 + Math.floor(random() * 12);
  const args: Arguments = { room, [argument]: value };
  const fn = { name, arguments: JSON.stringify(args) };
  const call = { id: "call_0", type: "function", function: fn } as const;
  const command = wording.replace("{room}", room).replace("{value}", String(value));
  return rowOf(speak(command, random), { role: "assistant", content: "", tool_calls: [call] });
}

function refused(side: Side, random: () => number): ToolRow {
  const command = pick(ELSE[side], random).replace("{room}", roomOf(side, random));
  return rowOf(speak(command, random), { role: "assistant", content: REFUSAL });
}

function rowOf(content: string, answer: ToolRow["messages"][1]): ToolRow {
  return { messages: [{ role: "user", content }, answer], tools: TOOLS };
}

/** Half of eval's rooms are known from training. */
function roomOf(side: Side, random: () => number): string {
  return pick(side === "train" || random() < 0.5 ? ROOMS.train : ROOMS.eval, random);
}

/** What is called decides by hash, so that no call is on both sides. */
function belongs({ messages: [, { tool_calls: calls }] }: ToolRow, side: Side): boolean {
  if (!calls) return true;
  const held = parseInt(sha256(JSON.stringify(calls[0].function)).slice(0, 8), 16) % 4 === 0;
  return held === (side === "eval");
}

function speak(command: string, random: () => number): string {
  const polite = random() < 0.2 ? `${command} please` : command;
  return random() < 0.3 ? polite[0]!.toUpperCase() + polite.slice(1) : polite;
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!;
}
