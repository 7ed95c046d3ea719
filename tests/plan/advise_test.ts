import assert from "../deps/assert.ts";
import fc from "fast-check";
import { advise, type AdviseQuestion } from "../../src/plan/advise.ts";
import { likelyShape, parametersOf } from "../../src/plan/model_shapes.ts";
import { method } from "../../src/spec/schema/schema_method.ts";

const KINDS = ["full", "lora", "qlora", "prefix", "adapter"] as const;

function question(changes: Partial<AdviseQuestion> & { readonly parameters?: number } = {}): AdviseQuestion {
  const { parameters = 8e9, ...rest } = changes;
  const rows = rest.rows ?? 5000;
  return {
    shape: likelyShape(parameters).shape,
    rows,
    tokens: { train: rows * 256, supervised: rows * 128, longest: 512 },
    evalTokens: 0,
    batchSize: 4,
    microTokens: 2048,
    weightBytes: 2,
    gpu: true,
    flopsPerSecond: undefined,
    quantization: "q8_0",
    baseBits: undefined,
    deviceMemory: 24 * 2 ** 30,
    methods: KINDS.map((kind) => ({ method: method.parse({ kind }), epochs: 1 })),
    ...rest,
  };
}

const choiceOf = (changes: Parameters<typeof question>[0]) => advise(question(changes)).choice?.kind;

Deno.test("advise() goes from lora to qlora to nothing as memory shrinks", () => {
  assert.equal(choiceOf({ deviceMemory: 80e9 }), "lora");
  assert.equal(choiceOf({ deviceMemory: 24 * 2 ** 30 }), "lora");
  assert.equal(choiceOf({ deviceMemory: 16e9 }), "qlora");
  assert.equal(choiceOf({ deviceMemory: 6e9 }), undefined);
  const { branches } = advise(question({ deviceMemory: 16e9 }));
  assert.deepEqual(branches.map(({ answer }) => answer), [false, false, false, false, true]);
});

Deno.test("advise() takes full where the data outgrows an update and memory allows it", () => {
  const much = { rows: 400_000, parameters: 1.2e9 };
  assert.equal(choiceOf({ ...much, deviceMemory: 80e9 }), "full");
  assert.equal(choiceOf({ ...much, deviceMemory: 12e9 }), "lora");
  assert.equal(choiceOf({ parameters: 1.2e9, deviceMemory: 80e9 }), "lora");
});

Deno.test("advise() first points to examples in the prompt where there are few rows", () => {
  const [few] = advise(question({ rows: 20 })).branches;
  assert.equal(few?.answer, true);
  assert.match(few!.so, /few_shot/);
});

Deno.test("advise() computes fewer tokens at once before it gives a method up", () => {
  const roomy = advise(question({ deviceMemory: 80e9 }));
  const tight = advise(question({ deviceMemory: 22e9 }));
  const of = ({ ranking }: ReturnType<typeof advise>) => ranking.find(({ kind }) => kind === "lora")!;
  assert.equal(of(roomy).microTokens, 2048);
  assert.ok(of(tight).microTokens < 2048 && of(tight).microTokens >= 512);
  assert.ok(of(tight).fits);
});

Deno.test("advise() ranks every method once, those that fit first, and chooses the first", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.double({ min: 1e8, max: 1e11, noNaN: true }),
      fc.double({ min: 1e9, max: 1e12, noNaN: true }),
      (rows, parameters, deviceMemory) => {
        const { ranking, choice } = advise(question({ rows, parameters, deviceMemory }));
        assert.deepEqual(ranking.map(({ kind }) => kind).sort(), [...KINDS].sort());
        const firstBad = ranking.findIndex(({ fits }) => !fits);
        if (firstBad >= 0) assert.ok(ranking.slice(firstBad).every(({ fits }) => !fits));
        assert.equal(choice, ranking.find(({ fits }) => fits));
        for (const { fits, missing, costs } of ranking) {
          assert.equal(fits, costs.memory.needed <= deviceMemory);
          assert.equal(missing > 0, !fits);
        }
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("likelyShape() is the published one where there is one, and grows with the number", () => {
  const { shape, like } = likelyShape(134_515_008);
  assert.equal(like, "SmolLM2-135M");
  assert.equal(shape.layers, 30);
  assert.equal(parametersOf(shape), 134_515_008);
  assert.equal(parametersOf(likelyShape(8_030_261_248).shape), 8_030_261_248);
  fc.assert(fc.property(fc.double({ min: 5e7, max: 5e11, noNaN: true }), (parameters) => {
    const found = parametersOf(likelyShape(parameters).shape);
    assert.ok(found / parameters > 0.5 && found / parameters < 2, `${found} for ${parameters}`);
  }));
});
