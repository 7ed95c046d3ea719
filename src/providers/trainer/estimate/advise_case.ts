import { UsageError } from "../../../lib/errors.ts";
import type { AdviseQuestion } from "../../../plan/advise.ts";
import { resolveTraining } from "../../../plan/defaults.ts";
import { likelyShape } from "../../../plan/model_shapes.ts";
import type { LoadedSpec } from "../../../spec/load.ts";
import { Spec } from "../../../spec/schema/schema.ts";
import { type Method, method as Methods } from "../../../spec/schema/schema_method.ts";
import type { DataSize, Env } from "../../provider.ts";
import { describeBase } from "../base/describe.ts";
import { bitsOf, estimatedTokens } from "./training_costs.ts";
import { trainingSpec } from "../job/job.ts";
import { type Device, deviceFor, type DeviceKind, thisHost } from "../environment/machine.ts";

/** A case to choose a method for, and where its numbers come from, in words. */
export interface AdviseCase {
  readonly question: AdviseQuestion;
  readonly base: string;
  readonly data: string;
  readonly device: string;
}

/** Numbers of somebody who has no file yet. */
export interface Described {
  readonly parameters: number;
  readonly rows: number;
  readonly tokensPerRow: number;
  /** Bytes. */
  readonly memory: number;
  readonly device: DeviceKind;
}

const KINDS = ["full", "lora", "qlora", "prefix", "adapter"] as const;
/** Share of a row's tokens that an assistant wrote, where no row can be looked at. */
const ANSWER_SHARE = 0.5;
/** The longest row beside the mean one, likewise. */
const LONGEST = 2;

/** The case that a pipeline file is: its data, its base, this machine. */
export async function caseOfPipeline(loaded: LoadedSpec, env: Env, data: DataSize): Promise<AdviseCase> {
  const spec = trainingSpec(loaded.spec);
  const base = await describeBase(loaded, { ...env, headersOnly: true });
  const { shape } = base;
  if (shape === null) {
    throw new UsageError(
      "base-unknown",
      `Cannot advise on base "${base.name}": it must be downloaded first`,
      {
        hint: "Give its size instead: `temper advise --base-params 8e9 --memory 24GiB --rows 5000`",
      },
    );
  }
  const device = await deviceFor(spec.train, env, thisHost());
  const tokens = estimatedTokens(spec, data);
  return {
    question: {
      ...common(spec, device),
      shape,
      tokens,
      evalTokens: tokens.eval,
      rows: data.trainRows,
      deviceMemory: device.memory,
      quantization: spec.provider.export.quantization,
      baseBits: bitsOf({ ...base, shape }),
      methods: methodsOf(spec, shape.parameters),
    },
    base: `${base.name}, ${base.arch}`,
    data: `${data.how}; ${tokens.how}`,
    device: device.speed?.basis ?? "speed unknown: the first run will measure it",
  };
}

/** The case that numbers on the command line describe. */
export function caseOfNumbers(described: Described): AdviseCase {
  const { parameters, rows, tokensPerRow, memory, device: kind } = described;
  const { shape, like } = likelyShape(parameters);
  const provider = { kind: "local", base: "described", export: { quantization: "q8_0" } };
  const spec = Spec.parse({
    version: 1,
    name: "x",
    dataset: { source: "x" },
    method: { kind: "lora" },
    provider,
  });
  const weightBytes = kind === "cuda" ? 2 : 4;
  const train = rows * tokensPerRow;
  return {
    question: {
      ...common(spec, { weightBytes, speed: undefined }),
      shape,
      tokens: { train, supervised: Math.round(train * ANSWER_SHARE), longest: LONGEST * tokensPerRow },
      evalTokens: 0,
      rows,
      deviceMemory: memory,
      quantization: "q8_0",
      baseBits: undefined,
      methods: methodsOf(spec, parameters),
    },
    base: `shaped like ${like}, the nearest published size`,
    data: `${tokensPerRow} tokens per row, half of them answers, the longest row twice as long (assumed)`,
    device: `${kind}, weights in ${weightBytes === 2 ? "bf16" : "fp32"}`,
  };
}

function common({ train }: Spec, { weightBytes, speed }: Pick<Device, "weightBytes" | "speed">) {
  return {
    batchSize: train.batch_size,
    microTokens: train.micro_tokens,
    weightBytes,
    flopsPerSecond: speed?.flopsPerSecond,
  };
}

/** Every method: the file's own as it stands there, the others with their defaults. */
function methodsOf(spec: Spec, parameters: number): AdviseQuestion["methods"] {
  return KINDS.map((kind) => {
    const method: Method = spec.method.kind === kind ? spec.method : Methods.parse({ kind });
    return { method, epochs: resolveTraining({ ...spec, method }, parameters).epochs.value };
  });
}
