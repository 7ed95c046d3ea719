import { join } from "../../deps/path.ts";
import { count, counted } from "../../lib/text/format.ts";
import { leftOutText } from "../../lib/text/left_out.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import { writeJson } from "../../lib/json/json_file.ts";
import { resolveTraining } from "../../plan/defaults.ts";
import { trainableParameters } from "../../plan/memory.ts";
import type { ConfigureWork } from "../provider.ts";
import { type BaseInfo, rememberFiles } from "./base/base.ts";
import { describeBase } from "./base/describe.ts";
import { refuseSmallDisk } from "./job/disk_check.ts";
import { ensurePython } from "./environment/environment.ts";
import { isAnswered, recordAnswer, thisHost } from "./environment/machine.ts";
import { askDevices } from "./environment/probe.ts";
import { servedName } from "./inputs.ts";
import { type LostKeys, placeExamples, type SentTools, sharedSystem, someThink } from "./job/examples.ts";
import { chatTemplateOf, jobSettings, type TrainingSpec, trainingSpec } from "./job/job.ts";
import { modelfile, type ModelfileFacts, type ServedTemplate, servingOf } from "./serving/modelfile.ts";
import { countedTokens, trainingEstimates } from "./preview.ts";
import { runPrepare } from "./job/prepare.ts";
import { writeServing } from "./serving/serving.ts";
import { shapeOf } from "./estimate/model_shape.ts";
import { templateNotes, templateText } from "./serving/template_notes.ts";
import { TEMPLATES } from "./serving/templates.ts";
import type { Tokens } from "./job/trainer_files.ts";

/** Of the rows that are left out. */
const LISTED = 5;

/** Writes job.json, prepares base and tokens, and writes the Modelfile and estimates.json. */
export async function configureTraining(
  work: ConfigureWork,
  trainerDir: string,
  sent?: SentTools,
): Promise<JsonObject> {
  const { loaded, out, fs } = work;
  const spec = trainingSpec(loaded.spec);
  const base = await describeBase(loaded, work);
  for (const message of base.warnings) work.progress({ phase: "base", message });
  if (base.shape) await refuseSmallDisk(work, base.shape);
  await rememberFiles(base, work);
  const python = await ensurePython({
    env: work,
    trainerDir,
    progress: (progress) => work.progress(progress),
    signal: work.signal,
  });
  const { data, lost } = await placeExamples(work.examples, out, fs, sent);
  warnOfLost(work, lost);
  let system = await sharedSystem(out, fs);
  const settings = jobSettings(spec, base, system, await chatTemplateOf(loaded, fs));
  await writeJson(join(out, "job.json"), { ...settings, data }, fs);
  await rememberDevices(work, python, trainerDir);
  const tokens = await runPrepare(work, python, trainerDir);
  warnOfTokens(work, tokens);
  if (tokens.train.dropped > 0) system = await sharedSystem(out, fs); // of the rows that are left
  if (spec.provider.export.gguf) {
    const facts = await modelfileFacts(work, spec, base, tokens, system);
    await fs.writeAtomic(join(out, "Modelfile"), modelfile(facts));
    await writeServing(out, servingOf(facts), fs);
  }
  const estimates = await trainingEstimates(spec, work, base, countedTokens(tokens), tokens.train.rows);
  await writeJson(join(out, "estimates.json"), { version: 1, estimates }, fs);
  return summary(spec, base, tokens);
}

/** Has the trainer say once which devices it finds here: `plan` reads it, because it may start no Python. */
async function rememberDevices(work: ConfigureWork, python: string, trainerDir: string): Promise<void> {
  if (await isAnswered(work, thisHost())) return;
  const answer = await askDevices(python, trainerDir, work, work.signal);
  if (answer) await recordAnswer(work, answer);
}

/** What no request can say is not trained either. */
function warnOfLost(work: ConfigureWork, lost: LostKeys) {
  for (const [key, rows] of lost) {
    const message = `Ollama drops ${key} from tools: training leaves it out of ${counted(rows, "row")}`;
    work.progress({ phase: "examples", message });
  }
}

function warnOfTokens(work: ConfigureWork, tokens: Tokens) {
  const { train, end_token: end } = tokens;
  const warn = (message: string) => work.progress({ phase: "examples", message });
  if (train.truncated > 0) {
    warn(`${train.truncated} of ${train.rows} rows were truncated to train.max_length`);
  }
  const leftOut = leftOutText(train.dropped, tokens.eval?.dropped);
  if (leftOut !== undefined) warn(`${leftOut}:${longRowLines(tokens)}`);
  for (const note of templateNotes(tokens)) warn(note);
  const open = train.rows - end.trained_rows;
  if (open > 0) warn(`${open} of ${train.rows} rows do not teach the end token "${end.text}"`);
}

/** The first rows that are too long, each on a line of its own. */
function longRowLines({ long_rows: rows, train, eval: held }: Tokens): string {
  const shown = rows.slice(0, LISTED).map(({ origin, tokens }) =>
    `\n  ${origin}: has ${count(tokens)} tokens`
  );
  const more = train.dropped + (held?.dropped ?? 0) - shown.length;
  return shown.join("") + (more > 0 ? `\n  and ${count(more)} more` : "");
}

async function modelfileFacts(
  work: ConfigureWork,
  spec: TrainingSpec,
  base: BaseInfo,
  tokens: Tokens,
  system: string | undefined,
): Promise<ModelfileFacts> {
  const { epochs, learningRate } = resolveTraining(spec, base.shape?.parameters);
  return {
    model: servedName(spec),
    base: base.name,
    spec,
    shape: shapeOf(tokens),
    context: tokens.base.context,
    template: await servedTemplate(work, tokens.template),
    opening: tokens.opening,
    kept: keptTokens(spec, tokens),
    system,
    train: { rows: tokens.train.rows, epochs: epochs.value, learningRate: learningRate.value },
  };
}

/** What a server is told of the template. Without `turns` it has to use the chat template inside the file. */
async function servedTemplate(
  { out, fs }: ConfigureWork,
  trained: Tokens["template"],
): Promise<ServedTemplate> {
  const family = trained.kind === "linear" ? trained.name : trained.linear;
  const known = TEMPLATES.find(({ name }) => name === family);
  if (trained.kind === "jinja") {
    const jinja = await fs.readText(join(out, "prepared", "chat_template.jinja"));
    const thinksUnasked = asksForThinking(jinja) && !await someThink(out, fs);
    return {
      name: known?.name ?? trained.name,
      stop: trained.stop,
      jinja,
      thinksUnasked,
      ...known && { turns: known.turns },
    };
  }
  if (!known) throw new RangeError(`Cannot find template "${family}"`);
  return known;
}

/** Servers let a template with these tags think unless a request says otherwise. */
function asksForThinking(jinja: string): boolean {
  return /\benable_thinking\b/.test(jinja) && jinja.includes("<think>") && jinja.includes("</think>");
}

/** A prefix, and BOS behind it. */
function keptTokens({ method }: TrainingSpec, { base }: Tokens): number {
  return method.kind === "prefix" ? method.length + (base.bos === null ? 0 : 1) : 0;
}

function summary(spec: TrainingSpec, base: BaseInfo, tokens: Tokens): JsonObject {
  const { train, template, template_matches_base: matches } = tokens;
  const held = tokens.eval?.dropped ?? 0;
  const { epochs, learningRate } = resolveTraining(spec, base.shape?.parameters);
  return {
    base: base.name,
    parameters: tokens.base.parameters,
    trainable: trainableParameters(spec.method, shapeOf(tokens)),
    template: templateText(template),
    template_matches_base: matches,
    template_difference: tokens.template_difference,
    rows: train.rows,
    eval_rows: tokens.eval?.rows ?? 0,
    tokens: train.tokens,
    supervised: train.supervised,
    masked: train.masked,
    truncated: train.truncated,
    ...train.dropped > 0 && { dropped: train.dropped },
    ...held > 0 && { eval_dropped: held },
    longest: train.longest,
    epochs: epochs.value,
    learning_rate: learningRate.value,
  };
}
