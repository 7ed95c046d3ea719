import type { Dialect } from "./dialect.ts";
import {
  LACKED_BY_ALL,
  LACKED_BY_MULTIPLIER,
  LACKS_DEPLOYMENT,
  LIMITS,
  methodBody,
  multiplierHyperparameters,
  MULTIPLIERS,
  pickedByService,
  priced,
  protocolEpochs,
  ROW_RULES,
  UPLOAD,
} from "./protocol.ts";

const SERVICE = "OpenAI";

export const openai: Dialect = {
  name: "openai",
  service: SERVICE,
  address: {
    standard: "https://api.openai.com/v1",
    example: "https://api.openai.com/v1",
    env: "OPENAI_BASE_URL",
    hosts: /^api\.openai\.com$/,
  },
  keyEnv: "OPENAI_API_KEY",
  findsJobsBy: "metadata",
  trainsPreferencePairs: true,
  chargesForValidation: false,
  lacks: { ...LACKED_BY_ALL, ...LACKED_BY_MULTIPLIER, ...LACKS_DEPLOYMENT },
  limits: LIMITS,
  rows: ROW_RULES,
  upload: UPLOAD,
  presets: MULTIPLIERS,
  epochs: protocolEpochs,
  hyperparameters: (job) => multiplierHyperparameters(job, MULTIPLIERS),
  createBody: methodBody,
  methodNote: (method) => pickedByService(SERVICE, method),
  prices: {
    date: "2026-11-22",
    models: priced({
      "gpt-4.1-2025-04-14": [25, 3, 12],
      "gpt-4.1-mini-2025-04-14": [5, 0.8, 3.2],
      "gpt-4.1-nano-2025-04-14": [1.5, 0.2, 0.8],
      "gpt-4o-2024-08-06": [25, 3.75, 15],
      "gpt-4o-mini-2024-07-18": [3, 0.3, 1.2],
    }),
  },
  closing: {
    date: "2026-11-22",
    service: "2027-01-06",
    bases: {
      "gpt-4.1-nano-2025-04-14": "2026-10-23",
      "o4-mini-2025-04-16": "2026-10-23",
      "gpt-3.5-turbo-0125": "2026-10-23",
      "gpt-3.5-turbo": "2026-10-23",
      "babbage-002": "2026-10-23",
      "davinci-002": "2026-10-23",
      "gpt-4o-2024-08-06": "2027-01-14",
      "gpt-4o-2024-11-20": "2027-01-14",
      "gpt-4o-mini-2024-07-18": "2027-01-14",
      "gpt-4.1-2025-04-14": "2027-01-14",
      "gpt-4.1-mini-2025-04-14": "2027-01-14",
    },
  },
};
