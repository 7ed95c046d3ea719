import assert from "../deps/assert.ts";
import { canonicalJson, type JsonObject } from "../../src/lib/json/json.ts";
import type { Dialect, JobRequest } from "../../src/spec/dialects/dialect.ts";
import { DIALECT_NAMES, DIALECTS } from "../../src/spec/dialects/registry.ts";
import { Spec } from "../../src/spec/schema/schema.ts";

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Fields of a pipeline that decide what a job does, each with a value that is no default. */
const FIELDS: readonly (readonly [section: "train" | "provider", name: string, value: unknown])[] = [
  ["train", "learning_rate", 0.25],
  ["train", "batch_size", 9],
  ["train", "warmup_ratio", 0.25],
  ["train", "weight_decay", 0.25],
  ["train", "max_grad_norm", 0.25],
  ["train", "seed", 9],
  ["train", "schedule", "linear"],
  ["train", "max_steps", 9],
  ["train", "micro_tokens", 99],
  ["train", "checkpoint_seconds", 9],
  ["train", "device", "cpu"],
  ["train", "dtype", "bf16"],
  ["train", "parallel", "fsdp"],
  ["train", "checkpointing", true],
  ["train", "optimizer", "adamw_8bit"],
  ["train", "deterministic", false],
  ["provider", "learning_rate_multiplier", 0.25],
  ["provider", "beta", 0.25],
  ["provider", "integrations", [{ kind: "wandb", project: "p" }]],
];

function bodyWith(dialect: Dialect, sections: { train?: JsonObject; provider?: JsonObject }): string {
  const { train = {}, provider = {} } = sections;
  const spec = Spec.parse({
    version: 1,
    name: "n",
    dataset: { source: "d.jsonl" },
    method: { kind: "lora" },
    train,
    provider: { kind: "openai", dialect: dialect.name, base: "b", ...provider },
  });
  assert(spec.provider.kind === "openai");
  const job: JobRequest = {
    fields: { ...spec, provider: spec.provider },
    epochs: 3,
    goal: "dpo",
    suffix: "s",
    isSet: (field) => field.split(".")[1]! in train,
  };
  const values = dialect.hyperparameters(job).map(({ name, value }) => [name, value]);
  return canonicalJson(dialect.createBody(job, Object.fromEntries(values)));
}

for (const name of DIALECT_NAMES) {
  const dialect = DIALECTS[name];

  Deno.test(`dialect ${name}: every field has an effect on the job, or is refused`, () => {
    const plain = bodyWith(dialect, {});
    for (const [section, field, value] of FIELDS) {
      const changes = bodyWith(dialect, { [section]: { [field]: value } as JsonObject }) !== plain;
      const refused = dialect.lacks[`${section}.${field}`] !== undefined;
      assert.notEqual(
        changes,
        refused,
        `${section}.${field} ${changes ? "is sent and refused" : "has no effect"}`,
      );
    }
  });

  Deno.test(`dialect ${name} goes by its name, with an address of its own and days for its dates`, () => {
    assert.equal(dialect.name, name);
    const { standard, example, hosts } = dialect.address;
    assert.match(new URL(standard ?? example).hostname, hosts);
    const { prices, closing } = dialect;
    const days = [
      prices.date,
      closing.date,
      ...Object.values(closing.bases),
      closing.service ?? closing.date,
    ];
    for (const day of days) assert.match(day, DAY);
  });
}
