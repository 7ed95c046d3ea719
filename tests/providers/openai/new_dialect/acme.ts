import type { Dialect } from "../../../../src/spec/dialects/dialect.ts";
import {
  commonBody,
  LACKED_BY_ALL,
  LACKS_DEPLOYMENT,
  LACKS_SEED,
  LIMITS,
  presetFor,
  ROW_RULES,
  UPLOAD,
} from "../../../../src/spec/dialects/protocol.ts";

const PRESETS: Dialect["presets"] = {
  full: { sends: () => ({ strength: 10 }), reason: "all of it" },
  lora: { sends: ({ rank }) => ({ strength: rank / 2 }), reason: "half of the rank" },
  qlora: { sends: () => ({ strength: 4 }), reason: "as lora" },
  prefix: { sends: () => ({ strength: 1 }), reason: "the least" },
  adapter: { sends: () => ({ strength: 2 }), reason: "little" },
};

/** A service that nobody has, for new_dialect_test.ts: that file puts this one where the real ones are. */
export const acme: Dialect = {
  name: "acme",
  service: "Acme Tuning",
  address: { example: "https://acme.test/v1", env: "ACME_BASE_URL", hosts: /^acme\.test$/ },
  keyEnv: "ACME_API_KEY",
  findsJobsBy: "suffix",
  trainsPreferencePairs: false,
  chargesForValidation: true,
  lacks: { ...LACKED_BY_ALL, ...LACKS_SEED, ...LACKS_DEPLOYMENT, "provider.beta": "Acme has no beta" },
  limits: { ...LIMITS, leastRows: 19, epochs: 7 },
  rows: { ...ROW_RULES, messageFields: [...ROW_RULES.messageFields, "mood"] },
  upload: { ...UPLOAD, oneRequestBytes: 1_000, partBytes: 700 },
  presets: PRESETS,
  epochs: () => 6,
  hyperparameters({ fields: { method }, epochs }) {
    const { values, reason } = presetFor(PRESETS, method);
    const preset = Object.entries(values).map(([name, value]) => ({ name, value, reason }));
    return [{ name: "passes", value: epochs, reason: "Acme's own rule" }, ...preset];
  },
  createBody: (job, values) => ({ ...commonBody(job), acme: values }),
  methodNote: ({ kind }) => `Acme Tuning makes something of ${kind}`,
  prices: { date: "2026-03-04", models: { "gpt-4.1-mini-2025-04-14": { training: 123 } } },
  closing: { date: "2026-03-04", service: "2026-05-06", bases: {} },
};
