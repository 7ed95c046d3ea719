import { equal, ok } from "../deps/assert.ts";
import { type RoomRow, roomRows } from "../../pipelines/data/reasoning.ts";

const SIDES = ["train", "eval"] as const;

/** Walks the way that a question describes. */
function walked({ messages: [{ content }] }: RoomRow): { readonly thoughts: string; readonly room: string } {
  const [, row, start, ways] = /^Going east: (.*?)\. .*The robot is in the (\w+) and goes (.*?)\. Where/.exec(
    content,
  )!;
  const rooms = row!.split(", ");
  ok(content.includes(`Going west: ${rooms.toReversed().join(", ")}.`));
  let room = start!;
  const thoughts = ways!.split(", ").map((way) => {
    const next = rooms[rooms.indexOf(room) + (way === "east" ? 1 : -1)]!;
    const thought = `${way} of the ${room} is the ${next}`;
    room = next;
    return thought;
  });
  return { thoughts: thoughts.join("; "), room };
}

Deno.test("roomRows() thinks and answers what walking the way gives", () => {
  for (const row of SIDES.flatMap(roomRows)) {
    const { thoughts, room } = walked(row);
    const [, answer] = row.messages;
    equal(answer.reasoning_content, thoughts);
    equal(answer.content, `In the ${room}.`);
  }
});

Deno.test("roomRows() asks nothing twice, on neither side", () => {
  const questions = SIDES.flatMap(roomRows).map(({ messages: [question] }) => question.content);
  equal(new Set(questions).size, questions.length);
});
