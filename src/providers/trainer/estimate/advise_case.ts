import { bytes } from "../../../lib/text/format.ts";
import { UsageError } from "../../../lib/errors.ts";
import type { AdviseQuestion } from "../../../plan/advise.ts";
import { resolveTraining } from "../../../plan/defaults.ts";
import { likelyShape } from "../../../plan/model_shapes.ts";
import type { LoadedSpec } from "../../../spec/load.ts";
import { Spec } from "../../../spec/schema/schema.ts";
import { type Method, method as Methods } from "../../../spec/schema/schema_method.ts";
import type { DataSize, DeviceMemory, Env } from "../../provider.ts";
import { describeBase } from "../base/describe.ts";
import { bitsOf, deviceQuestion, estimatedTokens, storedBytes } from "./training_costs.ts";
import { trainingSpec } from "../job/job.ts";
import type { DeviceKind, Dtype } from "../environment/device_table.ts";
import {
  assumedType,
  bytesOf,
  type Device,
  deviceFor,
  thisHost,
  usableMemory,
} from "../environment/machine.ts";

/** A case to choose a method for, and where its numbers come from, in words. */
export interface AdviseCase {
  readonly question: AdviseQuestion;
  readonly base: string;
  readonly data: string;
  readonly device: string;
  /** Where and in which type, as far as it is not left to the trainer. */
  readonly train: { readonly device?: DeviceKind; readonly dtype?: Dtype };
}

/** Numbers of somebody who has no file yet. */
export interface Described {
  readonly parameters: number;
  readonly rows: number;
  readonly tokensPerRow: number;
  /** Bytes: of a device, or of several that are the same; on mps of the machine, of which Metal allows a part. */
  readonly memory: number | DeviceMemory;
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
      storedBytes: storedBytes(base),
      shape,
      tokens,
      evalTokens: tokens.eval,
      rows: data.trainRows,
      quantization: spec.provider.export.quantization,
      baseBits: bitsOf({ ...base, shape }),
      methods: methodsOf(spec, shape.parameters),
    },
    base: `${base.name}, ${base.arch}`,
    data: `${data.how}; ${tokens.how}`,
    device: `${typeText(device)}; ${device.speed?.basis ?? "speed unknown: the first run will measure it"}`,
    train: asked(spec.train),
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
  const { count, each } = typeof memory === "number" ? { count: 1, each: memory } : memory;
  const allowed = usableMemory(kind, each);
  const type = assumedType(kind, true);
  const device = { kind, ...type, weightBytes: bytesOf(type.dtype), memory: allowed, count };
  const train = rows * tokensPerRow;
  return {
    question: {
      ...common(spec, { ...device, speed: undefined }),
      shape,
      tokens: { train, supervised: Math.round(train * ANSWER_SHARE), longest: LONGEST * tokensPerRow },
      evalTokens: 0,
      rows,
      quantization: "q8_0",
      baseBits: undefined,
      methods: methodsOf(spec, parameters),
    },
    base: `shaped like ${like}, the nearest published size`,
    data: `${tokensPerRow} tokens per row, half of them answers, the longest row twice as long (assumed)`,
    device: kind === "mps"
      ? `${typeText(device)}; Metal allows this much of ${bytes(each)}`
      : typeText(device),
    // `auto` takes a GPU where there is one.
    train: kind === "cuda" ? {} : { device: kind },
  };
}

function typeText({ kind, dtype, why }: Pick<Device, "kind" | "dtype" | "why">): string {
  return `${kind}, weights in ${dtype} (${why})`;
}

function asked({ device, dtype }: Spec["train"]): AdviseCase["train"] {
  return { ...device !== "auto" && { device }, ...dtype !== "auto" && { dtype } };
}

function common({ train }: Spec, device: Device) {
  return {
    batchSize: train.batch_size,
    microTokens: train.micro_tokens,
    checkpointing: train.checkpointing,
    ...deviceQuestion(device),
    flopsPerSecond: device.speed?.flopsPerSecond,
  };
}

/** Every method: the file's own as it stands there, the others with their defaults. */
function methodsOf(spec: Spec, parameters: number): AdviseQuestion["methods"] {
  return KINDS.map((kind) => {
    const method: Method = spec.method.kind === kind ? spec.method : Methods.parse({ kind });
    return { method, epochs: resolveTraining({ ...spec, method }, parameters).epochs.value };
  });
}
