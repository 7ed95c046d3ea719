import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { PYTHON, ROOT, WITHOUT_TRAINER } from "../e2e/kit.ts";
import { assertAsTrained, judged } from "./judge.ts";
import { HERMETIC } from "../hermetic.ts";

/** The project as a clone has it, with this clone's environment and converted bases. */
async function clone(): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "temper-readme-" });
  const { stdout } = await new Deno.Command("git", { args: ["ls-files", "-z"], cwd: ROOT }).output();
  for (const name of new TextDecoder().decode(stdout).split("\0").filter((name) => name !== "")) {
    await denoFs.mkdirp(join(dir, name, ".."));
    await Deno.copyFile(join(ROOT, name), join(dir, name));
  }
  await Deno.symlink(join(ROOT, ".temper"), join(dir, ".temper"));
  return dir;
}

/** The commands of the `sh` blocks of README and then of docs/, each once. An indented line continues the one above. */
async function commands(): Promise<string[]> {
  const pages = (await denoFs.list(join(ROOT, "docs"))).filter((name) => name.endsWith(".md")).sort();
  const texts = await Promise.all(
    ["README.md", ...pages.map((name) => `docs/${name}`)].map((page) => denoFs.readText(join(ROOT, page))),
  );
  const blocks = texts.flatMap((text) =>
    [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block!)
  );
  return [...new Set(blocks.flatMap((block) => block.trim().split(/\n(?! )/)))];
}

/** The tests themselves, what talks to a server a reader has started, and what has a test of its own. */
const ELSEWHERE = /task (test|ok|bench|serve --)|^(ollama|curl|git clone|cd|temper|deno install) /;

function command(line: string, cwd: string): Deno.Command {
  const here = line.replace(/^npx -y deno@\S+/, "deno").replace(/^deno /, `exec "${Deno.execPath()}" `);
  return new Deno.Command("sh", {
    args: ["-c", here],
    cwd,
    env: { NO_COLOR: "1", ...HERMETIC, TEMPER_PYTHON: PYTHON! },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function shell(line: string, cwd: string): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await command(line, cwd).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/** Starts what serves until it is told to end, and returns the page at the address it prints. */
async function firstPage(line: string, cwd: string): Promise<string> {
  const child = command(line, cwd).spawn();
  const said = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const words = new Response(child.stderr).text();
  try {
    for (let text = "";;) {
      const { value, done } = await said.read();
      if (done) throw new Error(`Cannot open the page: ${text}${await words}`);
      text += value;
      const [address] = /http:\S+/.exec(text) ?? [];
      if (address) return await (await fetch(address)).text();
    }
  } finally {
    child.kill("SIGTERM");
    await said.cancel();
    await Promise.all([child.status, words]);
  }
}

Deno.test({
  name:
    "The commands of README and docs work in their order, and llama.cpp answers with the demo's model as the trainer does",
  ignore: WITHOUT_TRAINER,
  async fn(t) {
    const dir = await clone();
    const lines = (await commands()).filter((line) => !ELSEWHERE.test(line));
    assert.ok(lines.some((line) => line.includes("task run pipelines/lora.yaml")), "README runs the demo");
    for (const line of lines) {
      await t.step(line, async () => {
        if (line.endsWith("task serve")) return assert.match(await firstPage(line, dir), /home-lora/);
        const { code, text } = await shell(line, dir);
        assert.equal(code, 0, text);
      });
    }
    await t.step("the demo learns its task", async () => {
      const shown = JSON.parse((await shell("deno run -A cli.ts show last --json", dir)).text);
      assert.equal(shown.state, "done");
      assert.equal(shown.metrics.before, 0);
      assert.ok(shown.metrics.after >= 50 / 60, `after ${shown.metrics.after}`);
      assert.ok(shown.metrics.after > shown.metrics.few_shot, "training beats prompting");
      const found = await judged(join(dir, "runs", shown.id));
      assertAsTrained(found);
      const trained = Math.round(shown.metrics.after * found.rows);
      assert.ok(Math.abs(found.correct - trained) <= 2, `${found.correct} right, ${trained} in training`);
    });
    await denoFs.remove(dir);
  },
});
