import assert from "../deps/assert.ts";
import fc from "fast-check";
import { parseEvent } from "../../src/log/events.ts";
import { fold, isTerminal, NO_RUN, stopped } from "../../src/log/state.ts";
import { anyLog, folded, numbered, STARTED } from "./events.ts";

Deno.test("fold() gives every prefix of a log a state, numbered like its last event", () => {
  fc.assert(fc.property(anyLog, (events) => {
    for (let end = 0; end <= events.length; end++) {
      const state = folded(events.slice(0, end));
      assert.equal(state.seq, end);
      assert.equal(state.steps.length, end === 0 ? 0 : 2);
    }
  }));
});

Deno.test("fold() goes on from where it was", () => {
  fc.assert(fc.property(anyLog, fc.nat(), (events, cut) => {
    const at = cut % (events.length + 1);
    assert.deepEqual(folded(events.slice(at), folded(events.slice(0, at))), folded(events));
  }));
});

Deno.test("fold() leaves a finished run as it is", () => {
  fc.assert(fc.property(anyLog, anyLog, (events, more) => {
    const state = folded(events);
    fc.pre(isTerminal(state));
    const after = folded(numbered(more, state.seq + 1), state);
    assert.deepEqual({ ...after, seq: 0 }, { ...state, seq: 0 });
  }));
});

Deno.test("fold() ignores types it does not know", () => {
  fc.assert(fc.property(anyLog, fc.string(), (events, name) => {
    const state = folded(events);
    const t = "2027-01-01T00:00:00.000Z";
    const unknown = parseEvent({ v: 1, seq: state.seq + 1, t, type: `later.${name}`, data: [1] });
    assert.deepEqual(fold(state, unknown), { ...state, seq: state.seq + 1 });
  }));
});

Deno.test("fold() does not touch the state it was given", () => {
  fc.assert(fc.property(anyLog, (events) => {
    let state = NO_RUN;
    for (const event of events) {
      const before = structuredClone(state);
      const next = fold(state, event);
      assert.deepEqual(state, before);
      state = next;
    }
  }));
});

Deno.test("fold() keeps the latest numbers of a phase and each message once", () => {
  const progress = { type: "step.progress", step: "extract" } as const;
  const state = folded(numbered([
    STARTED,
    { type: "step.started", step: "extract", key: "k1", attempt: 1 },
    { ...progress, phase: "a", done: 1, total: 2, metrics: { loss: 3, rate: 1 }, message: "careful" },
    { ...progress, phase: "a", done: 2, total: 2, metrics: { loss: 2 }, message: "careful" },
  ]));
  assert.deepEqual(state.steps[0]?.progress?.metrics, { loss: 2, rate: 1 });
  assert.deepEqual(state.steps[0]?.messages, ["careful"]);
  const next = fold(state, numbered([{ ...progress, phase: "b" }], 5)[0]!);
  assert.deepEqual(next.steps[0]?.progress?.metrics, {});
});

Deno.test("fold() counts a step as cached only when another run made it", () => {
  const skipped = { type: "step.skipped", step: "extract", key: "k1", outputs: [], summary: {} } as const;
  const own = folded(numbered([STARTED, { ...skipped, from: "20261122-080000-tiny-0001" }]));
  const other = folded(numbered([STARTED, { ...skipped, from: "20261121-080000-tiny-0002" }]));
  assert.deepEqual([own.steps[0]?.cached, other.steps[0]?.cached], [false, true]);
  assert.equal(own.steps[0]?.state, "done");
});

Deno.test("stopped() marks the step that was under way", () => {
  const state = folded(numbered([STARTED, { type: "step.started", step: "format", key: "k2", attempt: 1 }]));
  assert.deepEqual(stopped(state, "interrupted").steps.map(({ state }) => state), ["pending", "interrupted"]);
});
