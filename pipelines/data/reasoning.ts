// Questions about a way through rooms that lie in a row, thought step by step before the answer.
import { generator } from "./random.ts";

const SEED = 51;
const ROWS = { train: 160, eval: 40 };
const STEPS = [2, 3, 4];
const IN_A_ROW = 5;

type Side = keyof typeof ROWS;
export type RoomRow = {
  readonly messages: readonly [
    { readonly role: "user"; readonly content: string },
    { readonly role: "assistant"; readonly reasoning_content: string; readonly content: string },
  ];
};

const ROOMS = [
  "kitchen",
  "office",
  "tower",
  "bath",
  "garage",
  "garden",
  "attic",
  "study",
  "hall",
  "library",
  "yard",
];

/** The committed rows of one side: no way through the same rooms twice, and none on both sides. */
export function roomRows(side: Side): RoomRow[] {
  const known = side === "eval" ? roomRows("train") : [];
  const seen = new Set(known.map(({ messages: [question] }) => question.content));
  const random = generator(side === "train" ? SEED : SEED + 1);
  const rows: RoomRow[] = [];
  while (rows.length < ROWS[side]) {
    const row = draw(STEPS[rows.length % STEPS.length]!, random);
    const question = row.messages[0].content;
    if (!seen.has(question)) rows.push(row);
    seen.add(question);
  }
  return rows;
}

function draw(steps: number, random: () => number): RoomRow {
  const rooms = shuffled(ROOMS, random).slice(0, IN_A_ROW);
  let at = Math.floor(random() * IN_A_ROW);
  const start = rooms[at]!;
  const ways: string[] = [];
  const thoughts: string[] = [];
  while (ways.length < steps) {
    const east = at === 0 || at < IN_A_ROW - 1 && random() < 0.5;
    const from = rooms[at]!;
    at += east ? 1 : -1;
    ways.push(east ? "east" : "west");
    thoughts.push(`${ways.at(-1)} of the ${from} is the ${rooms[at]!}`);
  }
  const question = `Going east: ${rooms.join(", ")}. Going west: ${rooms.toReversed().join(", ")}. ` +
    `The robot is in the ${start} and goes ${ways.join(", ")}. Where is it?`;
  return {
    messages: [
      { role: "user", content: question },
      { role: "assistant", reasoning_content: thoughts.join("; "), content: `In the ${rooms[at]!}.` },
    ],
  };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(random() * left.length), 1)[0]!);
}
