import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { localProvider } from "../../../src/providers/local/provider.ts";
import { conversation, DOUBLE, Project } from "./project.ts";

const local = localProvider({ trainerDir: DOUBLE });
const DATA = { trainRows: 4, evalRows: 2, trainChars: 40, evalChars: 20, how: "counted" };

Deno.test("configure() and preview() say how many rows were left out as too long, and which", async () => {
  await using project = await Project.make("drops");
  const work = await project.work();
  const summary = await local.configure(work);
  assert.deepEqual([summary["dropped"], summary["eval_dropped"]], [2, 1]);
  const said = project.said.flatMap(({ message }) => message?.includes("left out") ? [message] : []);
  assert.deepEqual(said, [
    "2 training rows and 1 held-out row left out as too long:\n" +
    "  home.jsonl:3: has 99 tokens\n  home.jsonl:4: has 99 tokens\n  home.jsonl:5: has 99 tokens",
  ]);
  const { notes } = await local.preview(project.loaded, project.env, DATA, work.out);
  assert.equal(
    notes.filter((note) => note.includes("2 training rows and 1 held-out row left out")).length,
    1,
  );
});

Deno.test("the Modelfile has the system prompt that the rows share without those left out", async () => {
  await using project = await Project.make("drops");
  const path = join(project.dir, "examples", "train.jsonl");
  const long = {
    origin: "home.jsonl:3",
    messages: [{ role: "system", content: "Elsewhere:" }, ...conversation("on").slice(1)],
  };
  await Deno.writeTextFile(path, JSON.stringify(long) + "\n", { append: true });
  const work = await project.work();
  await local.configure(work);
  assert.match(await Deno.readTextFile(join(work.out, "Modelfile")), /^SYSTEM .*Home:/m);
});

Deno.test("configure() says nothing of rows left out where there are none", async () => {
  await using project = await Project.make("done");
  const summary = await local.configure(await project.work());
  assert.equal("dropped" in summary || "eval_dropped" in summary, false);
  assert.ok(!project.said.some(({ message }) => message?.includes("left out")));
});
