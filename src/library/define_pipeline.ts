import { resolve } from "../deps/path.ts";
import type { z } from "../deps/zod.ts";
import { UsageError } from "../lib/errors.ts";
import { visit } from "../deps/yaml.ts";
import type { Providers } from "../providers/provider.ts";
import type { PipelineText } from "../spec/loaded.ts";
import type { Spec } from "../spec/schema/schema.ts";
import { yamlDocument } from "../spec/yaml/yaml_document.ts";

type SpecInput = z.input<typeof Spec>;
type OwnSection<P extends Providers> = {
  [K in keyof P & string]: { readonly kind: K } & Readonly<z.input<P[K]["schema"]>>;
}[keyof P & string];

/**
 * A pipeline's content, as in a file: fields with a default can be omitted. `P`: your own providers,
 * whose sections are then allowed too.
 *
 * @example
 * ```ts
 * const input: PipelineInput = {
 *   version: 1,
 *   name: "home-lora",
 *   dataset: { source: "rows.jsonl" },
 *   method: { kind: "lora", rank: 16 },
 *   provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
 * };
 * ```
 */
export type PipelineInput<P extends Providers = Record<never, never>> = Omit<SpecInput, "provider"> & {
  readonly provider: SpecInput["provider"] | OwnSection<P>;
};

/**
 * A pipeline defined in code, for every function that takes the path of a pipeline file.
 *
 * @example
 * ```ts
 * const lora: Pipeline = definePipeline({
 *   version: 1,
 *   name: "home-lora",
 *   dataset: { source: "rows.jsonl" },
 *   method: { kind: "lora" },
 *   provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
 * });
 * console.log(lora.text);
 * ```
 */
export interface Pipeline extends PipelineText {
  /** Additional providers it may use. */
  readonly providers: Providers;
}

/**
 * Where a defined pipeline is, and which providers it may name.
 *
 * @example
 * ```ts
 * const options: DefineOptions = { dir: "/srv/data" };
 * ```
 */
export interface DefineOptions<P extends Providers = Providers> {
  /** Folder that relative paths in the pipeline start from. @default the current one */
  readonly dir?: string;
  /** Your own providers, by their `provider.kind`. */
  readonly providers?: P;
}

/**
 * Defines a pipeline in code. It is equivalent to the YAML file: the same defaults, the same problems, the same
 * step keys. Nothing is checked yet; `check`, `plan` and `run` do.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { check, definePipeline } from "@temper/temper";
 *
 * const dir = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${dir}/rows.jsonl`, '{"prompt": "2 + 2", "completion": "4"}\n');
 * const pipeline = definePipeline({
 *   version: 1,
 *   name: "sums",
 *   dataset: { source: "rows.jsonl" },
 *   method: { kind: "lora", rank: 4 },
 *   provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
 * }, { dir });
 * const checked = await check(pipeline);
 * assert(checked.ok);
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export function definePipeline<P extends Providers = Record<never, never>>(
  input: PipelineInput<P>,
  options: DefineOptions<P> = {},
): Pipeline {
  const { name } = input;
  const dir = resolve(options.dir ?? "");
  const called = `pipeline "${name}"`;
  const text = `# Defined in code. Relative paths start from ${JSON.stringify(dir)}\n${
    yamlOf(called, input)
  }`;
  return { name: called, text, dir, providers: options.providers ?? {} };
}

function yamlOf(called: string, input: unknown): string {
  try {
    // Says what is wrong with what refers to itself, which writing YAML would not.
    JSON.stringify(input);
    const document = yamlDocument(input, { aliasDuplicateObjects: false });
    visit(document, {
      Scalar(_, scalar) {
        // As a block, white space alone would lose some of it.
        if (typeof scalar.value === "string" && /^\s+$/.test(scalar.value)) scalar.type = "QUOTE_DOUBLE";
      },
    });
    return document.toString({ lineWidth: 0 });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new UsageError("bad-pipeline", `Cannot define ${called}: it is not plain data: ${found}`, {
      cause,
    });
  }
}
