// deno-lint-ignore-file camelcase -- names of the pipeline file
import assert from "../../deps/assert.ts";
import { RayCluster } from "../../../src/engines/ray/cluster.ts";
import { TemperError } from "../../../src/lib/errors.ts";

/** What asking an address for its version fails with, while something that is no cluster answers there. */
async function failure(
  answer: (() => Response) | undefined,
  env: Record<string, string> = {},
): Promise<Pick<TemperError, "code" | "message" | "transient" | "hint">> {
  await using server = Deno.serve({ port: 0, onListen() {} }, answer ?? (() => new Response()));
  const address = `http://localhost:${server.addr.port}`;
  if (!answer) await server.shutdown();
  const auth = Object.keys(env)[0];
  try {
    await new RayCluster({ address, auth_env: auth }, env).version();
  } catch (error) {
    assert(error instanceof TemperError);
    const { code, message, transient, hint } = error;
    return { code, message: message.replace(address, "ADDRESS"), transient, hint };
  }
  throw new Error("it took that for a cluster");
}

Deno.test("RayCluster says that nothing answers, and that trying again may help", async () => {
  const { code, message, transient, hint } = await failure(undefined);
  assert.deepEqual([code, transient], ["ray-unreachable", true]);
  assert.match(message, /^Cannot reach the Ray cluster at ADDRESS: connection refused$/);
  assert.match(hint!, /^Check engine.address/);
});

Deno.test("RayCluster refuses what is no dashboard: a page, another API, a redirect", async () => {
  for (
    const answer of [
      () => new Response("<html>", { status: 200 }),
      () => new Response("Not found", { status: 404 }),
      () => Response.json({ version: "0.34.4" }),
      () => Response.redirect("http://localhost:1/login"),
    ]
  ) {
    const { code, message, transient } = await failure(answer);
    assert.deepEqual([code, transient], ["ray-refused", false]);
    assert.equal(message, "Cannot use ADDRESS: its answer is not one of a Ray cluster's dashboard");
  }
});

Deno.test("RayCluster says which variable to set or to check when the cluster asks for a token", async () => {
  const locked = () => new Response("Unauthorized: wrong-token", { status: 401 });
  const asked = await failure(locked);
  assert.match(asked.message, /it asks for credentials \(HTTP 401\)$/);
  assert.match(asked.hint!, /^Set engine.auth_env /);
  const refused = await failure(locked, { MY_TOKEN: "wrong-token" });
  assert.match(refused.message, /it does not accept the credentials \(HTTP 401\)$/);
  assert.match(refused.hint!, /^Check the variable MY_TOKEN/);
});

Deno.test("RayCluster removes the token from what a cluster answers", async () => {
  const quoting = () => new Response("Traceback\nValueError: Bearer s3cret-token is bad", { status: 500 });
  const { message, transient } = await failure(quoting, { MY_TOKEN: "s3cret-token" });
  assert.equal(
    message,
    "Cannot use the Ray cluster at ADDRESS: ValueError: Bearer [secret] is bad",
  );
  assert.equal(transient, true);
});

Deno.test("RayCluster sends no token over http:// to another machine, and none that is not set", async () => {
  const place = { address: "http://head:8265", auth_env: "MY_TOKEN" };
  await assert.rejects(
    () => new RayCluster(place, { MY_TOKEN: "s3cret" }).version(),
    /http:\/\/ to another machine is not encrypted/,
  );
  await assert.rejects(
    () => new RayCluster(place, {}).version(),
    /Cannot use the credentials in MY_TOKEN: it is not set/,
  );
});
