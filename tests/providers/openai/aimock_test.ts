import assert from "node:assert/strict";
import { join } from "node:path";
import { type HostedProject, hostedProject } from "./hosted_project.ts";

/** A service of somebody else's making: https://github.com/CopilotKit/aimock. Ignores the metadata filter of lists. */
const AIMOCK = "npm:@copilotkit/aimock@1.43.0";

/** Runs it until `use` is through. Whatever it is asked in a chat, it says 21. */
async function withAimock(project: HostedProject, use: (url: string) => Promise<void>): Promise<void> {
  const fixtures = join(project.dir, "fixtures");
  await Deno.mkdir(fixtures);
  await Deno.writeTextFile(
    join(fixtures, "chat.json"),
    JSON.stringify({ fixtures: [{ match: {}, response: { content: "21" } }] }),
  );
  const config = join(project.dir, "aimock.json");
  await Deno.writeTextFile(config, JSON.stringify({ llm: { fixtures } }));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", AIMOCK, "-c", config],
    cwd: import.meta.dirname!,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let said = "";
    while (!/listening on \S+\n/.test(said)) {
      const { value, done } = await lines.read();
      assert(!done, `aimock ended: ${said}`);
      said += value;
    }
    await use(`${/listening on (\S+)/.exec(said)![1]}/v1`);
  } finally {
    child.kill("SIGKILL");
    await lines.cancel();
    await child.status;
  }
}

Deno.test("a service that temper's authors did not write is sent one job and each file once", async () => {
  await using project = await hostedProject({ more: "evaluate: {before: true}\n" });
  await withAimock(project, async (url) => {
    const held = async (what: string) => {
      const reply = await fetch(`${url}/${what}`, { headers: { authorization: "Bearer k" } });
      return (await reply.json()).data as { id: string }[];
    };
    const first = await project.run(url);
    assert.equal(first.code, 0, first.err);
    const { metrics, state } = JSON.parse((await project.call("show", "last", "--json")).out);
    assert.equal(state, "done");
    assert.match(metrics.fine_tuned_model, /^ft:gpt-4\.1-mini-2025-04-14:.*hosted-lora/);
    assert.deepEqual([metrics.before, metrics.after], [0.2, 0.2], "one row of five is 21");
    const again = await project.run(url, "--fresh");
    assert.equal(again.code, 0, again.err);
    assert.match(again.err, /Adopted job \S+, which exists already/);
    assert.equal((await held("fine_tuning/jobs")).length, 1);
    assert.equal((await held("files")).length, 2);
  });
});
