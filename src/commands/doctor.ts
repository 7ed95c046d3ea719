import { resolve } from "node:path";
import { EXIT } from "../lib/errors.ts";
import { oneLine, pad } from "../lib/text/text_width.ts";
import { wrap } from "../lib/text/wrap.ts";
import { estimateMemory } from "../plan/memory.ts";
import type { Diagnostic } from "../providers/diagnostic.ts";
import { ollamaFinding } from "../providers/ollama/ollama_diagnostics.ts";
import { hostedFindings } from "../providers/openai/service_diagnostics.ts";
import type { Env } from "../providers/provider.ts";
import { builtinBases, trainingFindings } from "../providers/trainer/environment/trainer_diagnostics.ts";
import { ownTrainerDir } from "../providers/trainer/environment/trainer_dir.ts";
import { Spec } from "../spec/schema/schema.ts";
import { method } from "../spec/schema/schema_method.ts";
import { createPalette, type Palette } from "../ui/palette.ts";
import { CACHE_OPTION, type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { clockFinding, staleFindings } from "../cli/run_diagnostics.ts";
import { denoFinding, folderFinding, memoryFinding } from "../cli/machine_diagnostics.ts";

const NAME_WIDTH = 11;

export const doctor: Command = {
  name: "doctor",
  summary: "Report what is installed, reachable and missing, with the fix",
  usage: "",
  positionals: [0, 0],
  options: { runs: RUNS_OPTION, cache: CACHE_OPTION },
  details:
    "Changes nothing. Exits with 1 when something is missing that every run needs.\n\ndeno task doctor",
  async run(context) {
    const { terminal, values } = context;
    const palette = createPalette(terminal.color);
    const findings: Diagnostic[] = [];
    for await (const finding of examine(context)) {
      findings.push(finding);
      if (!values["json"]) terminal.out(findingText(finding, palette, terminal.columns("out")));
    }
    const missing = findings.some(({ state }) => state === "missing");
    if (values["json"]) terminal.out(JSON.stringify({ ok: !missing, checks: findings }, null, 2) + "\n");
    return missing ? EXIT.failed : EXIT.ok;
  },
};

async function* examine(context: CommandContext): AsyncGenerator<Diagnostic> {
  const { fs, clock, cwd, env: variables, values } = context;
  const cacheDir = resolve(cwd, values["cache"] as string);
  const env: Env = { fs, clock, cacheDir, env: variables };
  const { signal } = new AbortController();
  yield denoFinding(Deno.version.deno);
  const { available, total } = Deno.systemMemoryInfo();
  yield memoryFinding(available, total, neededMemory());
  const runsDir = resolve(cwd, values["runs"] as string);
  yield await folderFinding(context, "runs", runsDir);
  yield await folderFinding(context, "cache", cacheDir);
  yield await clockFinding(env, runsDir);
  yield* staleFindings(env, runsDir);
  yield* trainingFindings({ env, trainerDir: ownTrainerDir(), signal });
  yield await ollamaFinding(env, signal);
  yield* hostedFindings(env, signal);
}

/** Peak of training the first builtin base with the defaults, every micro-batch full and half of it labelled. */
function neededMemory(): number {
  const shape = builtinBases()[0]?.shape;
  if (!shape) throw new TypeError("Cannot estimate memory: a builtin base has no shape");
  const { micro_tokens: microTokens } = Spec.shape.train.parse({});
  return estimateMemory({
    shape,
    method: method.parse({ kind: "lora" }),
    weightBytes: 4,
    microTokens,
    labelledTokens: microTokens / 2,
  }).total;
}

function findingText({ name, state, found, fix }: Diagnostic, palette: Palette, width: number): string {
  const mark = { ok: palette.good("✓"), warn: palette.warn("!"), missing: palette.bad("✗") }[state];
  const indent = " ".repeat(NAME_WIDTH + 6);
  const room = width === 0 ? Infinity : Math.max(1, width - indent.length);
  const [first = "", ...rest] = wrap(oneLine(found), room);
  const more = [...rest, ...fix === undefined ? [] : wrap(oneLine(fix), room).map(palette.accent)];
  const lines = [`  ${mark} ${pad(name, NAME_WIDTH)}  ${first}`, ...more.map((line) => indent + line)];
  return lines.map((line) => `${line}\n`).join("");
}
