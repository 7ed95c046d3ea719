import { bytes, count, duration, magnitude } from "../lib/text/format.ts";
import { numberYaml } from "../lib/text/yaml_text.ts";
import { wrap } from "../lib/text/wrap.ts";
import type { Advice, Branch, Candidate } from "../plan/advise.ts";
import { resolveTraining } from "../plan/defaults.ts";
import { layoutText } from "../plan/layout.ts";
import type { AdviseCase } from "../providers/trainer/estimate/advise_case.ts";
import { Spec } from "../spec/schema/schema.ts";
import type { Palette } from "../ui/palette.ts";
import { table } from "../ui/table.ts";

/** The case, the tree's branches, the ranking and what to write into the file. */
export function adviceText(
  asked: AdviseCase,
  advice: Advice,
  palette: Palette,
  width: number,
): string {
  const { bold, dim } = palette;
  const { question, base, data, device } = asked;
  const { shape, rows, tokens, deviceMemory, deviceCount = 1 } = question;
  const many = deviceCount > 1 ? `${deviceCount} × ` : "";
  const memory = deviceMemory === undefined ? "memory unknown" : many + bytes(deviceMemory);
  const facts = [
    ["base", `${magnitude(shape.parameters)} parameters`, base],
    ["data", `${count(rows)} rows, ${count(tokens.train)} tokens`, data],
    ["device", memory, device],
  ] as const;
  const lines = [
    ...table(
      [{ title: "case" }, { title: "" }, { title: "" }],
      facts.map(([name, text, basis]) => [{ text: name }, { text }, { text: basis, paint: dim }]),
      width,
      bold,
    ),
    "",
    bold("tree"),
    ...advice.branches.flatMap((branch) => branchLines(branch, palette, width)),
    "",
    ...rankingLines(advice.ranking, palette, width),
    "",
    ...choiceLines(advice.choice, asked, palette),
  ];
  return lines.join("\n") + "\n";
}

function branchLines({ question, answer, because, so }: Branch, palette: Palette, width: number): string[] {
  const room = width === 0 ? Infinity : Math.max(20, width - 7);
  const mark = answer ? palette.good("yes") : palette.warn("no ");
  return [
    `  ${mark}  ${question}`,
    ...wrap(because, room).map((line) => `       ${palette.dim(line)}`),
    ...wrap(`→ ${so}`, room).map((line) => `       ${line}`),
  ];
}

function rankingLines(ranking: readonly Candidate[], palette: Palette, width: number): string[] {
  const columns = [
    { title: "method" },
    { title: "memory", align: "right" },
    { title: "tokens at once", align: "right", rank: 0 },
    { title: "time", align: "right", rank: 2 },
    { title: "trained", align: "right", rank: 1 },
    { title: "gguf", align: "right", rank: 3 },
    { title: "why" },
  ] as const;
  const rows = ranking.map((one) => {
    const { costs: { memory, time, artifacts }, kind, microTokens, fits, missing, why } = one;
    return [
      { text: kind, paint: fits ? palette.bold : palette.dim },
      { text: bytes(memory.needed), ...!fits && { paint: palette.bad } },
      { text: count(microTokens) },
      { text: time ? duration(time.train * 1000) : "–" },
      { text: bytes(artifacts.weights) },
      { text: bytes(artifacts.gguf) },
      { text: fits ? why : `needs ${bytes(missing)} more than the device has`, paint: palette.dim },
    ];
  });
  return table(columns, rows, width, palette.bold);
}

function choiceLines(
  choice: Candidate | undefined,
  asked: AdviseCase,
  { good, bold, warn }: Palette,
): string[] {
  if (!choice) {
    return [
      warn(
        "No method fits: use a smaller base, shorter rows (train.max_length) or a device with more memory",
      ),
    ];
  }
  const spread = layoutText(choice.costs.layout);
  return [
    `${good("✓")} ${bold(choice.kind)}: ${choice.why}${spread === undefined ? "" : `; ${spread}`}`,
    "",
    ...choiceYaml(choice, asked).map((line) => `    ${line}`),
  ];
}

/** What to write into the pipeline file. */
export function choiceYaml({ method, microTokens }: Candidate, { question, train }: AdviseCase): string[] {
  const wanted = Math.min(question.microTokens, question.batchSize * question.tokens.longest);
  const spec = Spec.parse({
    version: 1,
    name: "x",
    dataset: { source: "x" },
    method,
    provider: { kind: "local", base: "x" },
  });
  const { epochs, learningRate } = resolveTraining(spec, question.shape.parameters);
  const fields = Object.entries(method).map(([name, value]) => `${name}: ${yamlOf(value)}`).join(", ");
  const micro = microTokens < wanted ? `, micro_tokens: ${microTokens}` : "";
  const kept = Object.entries(train).map(([name, value]) => `, ${name}: ${value}`).join("");
  return [
    `method: {${fields}}`,
    `train: {epochs: ${epochs.value}, learning_rate: ${numberYaml(learningRate.value)}${micro}${kept}}`,
  ];
}

function yamlOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(", ")}]`;
  return typeof value === "string" && /[^\w-]/.test(value) ? JSON.stringify(value) : String(value);
}
