import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { addEveryRun } from "./every_run.ts";
import { site, stateOf } from "./kit.ts";

/** Both are set by `deno task test`. */
const PYTHON = Deno.env.get("TEMPER_PYTHON");
const LAYER = Deno.env.get("TEMPER_TEST_LAYER");
const FOLDER = fileURLToPath(new URL("schemathesis", import.meta.url));
const EXAMPLES = 25;
const SEED = 1;

Deno.test({
  name:
    "schemathesis finds no answer of the API that its description does not have, and no change (needs deno task test)",
  ignore: PYTHON === undefined || LAYER === undefined,
  async fn() {
    await using s = await site();
    using runs = await addEveryRun(s);
    const before = await stateOf(s.runsDir);
    const own = await Deno.makeTempDir({ prefix: "temper-schemathesis-" });
    let answered = 0;
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        const response = await s.app.fetch(request);
        if (response.ok && new URL(request.url).pathname.startsWith("/api/runs/")) answered++;
        return response;
      },
    );
    const description = `http://127.0.0.1:${server.addr.port}/api/openapi.json`;
    const options = ["--no-color", "run", description, "--checks", "all", "--continue-on-failure"];
    const { code, stdout, stderr } = await new Deno.Command(PYTHON!, {
      args: [
        "-m",
        "schemathesis.cli",
        `--config-file=${join(FOLDER, "schemathesis.toml")}`,
        ...options,
        `--max-examples=${EXAMPLES}`,
        `--seed=${SEED}`,
        "--generation-database=none",
      ],
      // It leaves what it found where it runs.
      cwd: own,
      env: {
        PYTHONPATH: LAYER!,
        SCHEMATHESIS_HOOKS: join(FOLDER, "hooks.py"),
        PYTHONDONTWRITEBYTECODE: "1",
        HYPOTHESIS_STORAGE_DIRECTORY: own,
        TEMPER_RUNS: [...runs.ids, runs.removed].join(","),
      },
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    await Deno.remove(own, { recursive: true });
    assert.equal(code, 0, said);
    assert.deepEqual(await stateOf(s.runsDir), before);
    assert.ok(answered > EXAMPLES, `only ${answered} requests found a run`);
  },
});
