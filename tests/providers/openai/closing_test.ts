import assert from "node:assert/strict";
import { closingNotes, refuseClosed } from "../../../src/providers/openai/estimate/closing.ts";
import type { HostedSpec } from "../../../src/providers/openai/hosted_spec.ts";
import { DIALECTS } from "../../../src/spec/dialects/registry.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";

const MINI = "gpt-4.1-mini-2025-04-14";
const own = { dialect: DIALECTS.openai, baseUrl: "https://api.openai.com/v1", keyEnv: "K" };
const spec = (base: string) =>
  Spec.parse({
    version: 1,
    name: "n",
    dataset: { source: "d.jsonl" },
    method: { kind: "lora" },
    provider: { kind: "openai", base },
  }) as HostedSpec;
const day = (text: string) => Date.parse(text);

Deno.test("closingNotes() warns from 90 days before and goes on after", () => {
  assert.deepEqual(closingNotes(MINI, own, day("2026-10-08")), []);
  assert.match(closingNotes(MINI, own, day("2026-10-09")).join(), /no new fine-tuning jobs from 2027-01-06/);
  assert.match(
    closingNotes(MINI, own, day("2027-02-01")).join(),
    /no new fine-tuning jobs since 2027-01-06.*nebius/,
  );
  const nebius = { ...own, dialect: DIALECTS.nebius };
  assert.deepEqual(closingNotes(MINI, nebius, day("2027-02-01")), []);
});

Deno.test("refuseClosed() refuses a closed service and a closed base, at the service's own address alone", () => {
  refuseClosed(spec(MINI), own, day("2027-01-05"));
  assert.throws(
    () => refuseClosed(spec(MINI), own, day("2027-01-06")),
    /no new fine-tuning jobs since 2027-01-06/,
  );
  assert.throws(
    () => refuseClosed(spec("ft:gpt-4.1-nano-2025-04-14:org::x"), own, day("2026-11-01")),
    /no base model "gpt-4.1-nano-2025-04-14" since 2026-10-23/,
  );
  refuseClosed(spec(MINI), { ...own, baseUrl: "http://127.0.0.1:1/v1" }, day("2027-01-06"));
});
