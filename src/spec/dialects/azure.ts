import type { Dialect } from "./dialect.ts";
import {
  LACKED_BY_ALL,
  LACKED_BY_MULTIPLIER,
  LIMITS,
  methodBody,
  multiplierHyperparameters,
  MULTIPLIERS,
  pickedByService,
  protocolEpochs,
  ROW_RULES,
  UPLOAD,
} from "./protocol.ts";

const SERVICE = "Azure Foundry";

export const azure: Dialect = {
  name: "azure",
  service: SERVICE,
  address: {
    example: "https://RESOURCE.openai.azure.com/openai/v1",
    env: "AZURE_OPENAI_BASE_URL",
    hosts: /\.(openai|services\.ai)\.azure\.com$/,
  },
  keyEnv: "AZURE_OPENAI_API_KEY",
  findsJobsBy: "suffix",
  trainsPreferencePairs: true,
  chargesForValidation: true,
  deployment({ model, baseUrl, name }) {
    const resource = URL.canParse(baseUrl) ? new URL(baseUrl).hostname.split(".")[0] : "RESOURCE";
    const command = `az cognitiveservices account deployment create -g RESOURCE_GROUP -n ${resource} ` +
      `--deployment-name ${name} --model-name ${model} --model-version 1 --model-format OpenAI ` +
      "--sku-name Standard --sku-capacity 1";
    return { name, command };
  },
  lacks: { ...LACKED_BY_ALL, ...LACKED_BY_MULTIPLIER },
  limits: LIMITS,
  rows: ROW_RULES,
  upload: UPLOAD,
  presets: MULTIPLIERS,
  epochs: protocolEpochs,
  hyperparameters: (job) => multiplierHyperparameters(job, MULTIPLIERS),
  // Without the kind of training, the service says that the base cannot be fine-tuned.
  createBody: (job, values) => ({ ...methodBody(job, values), trainingType: "Standard" }),
  methodNote: (method) => pickedByService(SERVICE, method),
  prices: { date: "2026-11-22", models: {} },
  closing: {
    date: "2026-11-22",
    bases: {
      "gpt-4o-2024-08-06": "2027-04-01",
      "gpt-4o-mini-2024-07-18": "2027-04-01",
      "gpt-4.1-2025-04-14": "2027-04-14",
      "gpt-4.1-mini-2025-04-14": "2027-04-14",
      "gpt-4.1-nano-2025-04-14": "2027-04-14",
      "o4-mini-2025-04-16": "2027-04-16",
    },
  },
};
