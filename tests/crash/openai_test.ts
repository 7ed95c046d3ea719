import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { readLog } from "../../src/log/read_log.ts";
import { type HostedProject, hostedProject } from "../providers/openai/hosted_project.ts";
import { type Call, type MockOptions, MockService } from "../providers/openai/mock_service.ts";
import { Proof, SECONDS } from "./proof.ts";
import { runNames } from "../hermetic.ts";

const DIALECTS = ["openai", "nebius", "azure"] as const;
type Dialect = typeof DIALECTS[number];

/** Such a run, undisturbed, takes about this long from its first call of the service to its end. */
const SPAN_MS = 450;
/** A kill takes a third of a second: a minute makes 300 for the three services. */
const KILLS = Math.ceil(SECONDS * 5 / DIALECTS.length);

/** What the service has to say about one job. */
const EVENTS = 6;

const answer: NonNullable<MockOptions["answer"]> = (_, messages) => messages.at(-1)!.content.slice(4);

/** Where in a call the process that makes it dies. */
const MOMENTS = {
  before: "before the call leaves",
  after: "after its effect, before its answer",
} as const;
type Moment = keyof typeof MOMENTS;

/** A project with its service, whose calls can be told of. */
class Hosted implements AsyncDisposable {
  onCall: (call: Call, moment: "arrived" | "done", number: number) => unknown = () => undefined;

  private constructor(readonly service: MockService, readonly project: HostedProject) {}

  static async start(dialect: Dialect, slowMs = 0): Promise<Hosted> {
    const told: { hosted?: Hosted } = {};
    const onCall: NonNullable<MockOptions["onCall"]> = (...args) => told.hosted?.onCall(...args);
    const service = new MockService({ dialect, slowMs, answer, onCall });
    told.hosted = new Hosted(service, await hostedProject({ dialect }));
    return told.hosted;
  }

  /** Starts the pipeline, or goes on with it. */
  go(): Deno.ChildProcess {
    return this.project.start(...this.project.args(this.service.url));
  }

  /** Starts it once more and lets it end; then all is as if nobody had ever been killed. */
  async finish(replay: string): Promise<void> {
    const child = this.go();
    const words = new Response(child.stderr).text();
    assert((await child.status).success, `${replay}: ${await words}`);
    assert.equal(this.service.jobs.length, 1, "jobs");
    assert.equal(this.service.count("POST", /^\/files$/), 2, "uploads");
    const [id, ...more] = await runNames(join(this.project.dir, "runs"));
    assert.deepEqual(more, [], "one run");
    const { state } = await readLog(denoFs, join(this.project.dir, "runs", id!, "events.jsonl"));
    assert.equal(state.state, "done");
    const told = state.steps.at(-1)!.records.flatMap(({ event }) => event === undefined ? [] : [event]);
    assert.equal(new Set(told).size, EVENTS, "events of the job");
    assert.equal(told.length, EVENTS, "events told twice");
  }

  async [Symbol.asyncDispose]() {
    await this.service[Symbol.asyncDispose]();
    await this.project[Symbol.asyncDispose]();
  }
}

/** Kills a process; it may have been faster. */
function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Dies at call `number` of a run. Returns whether there is such a call. */
async function dieAtCall(dialect: Dialect, number: number, moment: Moment, proof: Proof): Promise<boolean> {
  await using hosted = await Hosted.start(dialect);
  const child = hosted.go();
  const words = new Response(child.stderr).text();
  hosted.onCall = (_, at, n) => {
    if (n !== number || at !== (moment === "before" ? "arrived" : "done")) return undefined;
    kill(child);
    return moment === "before" ? "drop" : undefined;
  };
  const { success, signal } = await child.status;
  await words;
  hosted.onCall = () => undefined;
  if (signal !== "SIGKILL") {
    assert(success, await words);
    return false;
  }
  proof.count("kills");
  await hosted.finish(`killed at call ${number}`);
  proof.count("resumes");
  return true;
}

for (const dialect of DIALECTS) {
  Deno.test(`a ${dialect} run that dies at any of its calls uploads and starts once`, () =>
    Proof.run(`${dialect}, every call`, async (proof) => {
      for (const moment of ["before", "after"] as const) {
        let number = 1;
        for (let more = true; more; number++) {
          more = false;
          await proof.try(`call ${number}, ${MOMENTS[moment]}`, async () => {
            more = await dieAtCall(dialect, number, moment, proof);
          });
        }
        assert(number > 12, `only ${number} calls`);
      }
    }));

  Deno.test(`a ${dialect} run that is killed again and again uploads and starts once`, () =>
    Proof.run(`${dialect}, kill loop`, async (proof) => {
      let kills = 0;
      for (let project = 0; kills < KILLS; project++) {
        const random = proof.randomFor(String(project));
        await proof.try(`project ${project}`, async () => {
          await using hosted = await Hosted.start(dialect, Math.floor(random() * 20));
          for (let left = 4 + Math.floor(random() * 8); left > 0; left--) {
            const child = hosted.go();
            const words = new Response(child.stderr).text();
            if (await killSometime(hosted, child, random)) proof.count("kills", Math.sign(++kills));
            else break;
            await words;
            proof.count("resumes");
          }
          await hosted.finish(`project ${project}`);
        });
      }
    }));
}

/** Waits until the service is called, then a random while: most of a process's life is its start. */
async function killSometime(
  hosted: Hosted,
  child: Deno.ChildProcess,
  random: () => number,
): Promise<boolean> {
  const { promise: called, resolve } = Promise.withResolvers<void>();
  hosted.onCall = () => resolve();
  const wait = called.then(() => new Promise((done) => setTimeout(done, random() ** 2 * SPAN_MS)));
  await Promise.race([child.status, wait]);
  kill(child);
  return (await child.status).signal === "SIGKILL";
}
