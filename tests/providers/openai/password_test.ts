import assert from "node:assert/strict";
import { formsOf, startGuard } from "../../guard_server.ts";
import { filesWith, hostedProject, KEY } from "./hosted_project.ts";
import { MockService } from "./mock_service.ts";

const PASSWORD = "pa/ss-w0rd+1";
const QUERY = "qu3ry&key=1";
const BASIC = `Basic ${btoa(`me:${PASSWORD}`)}`;
const FORMS = [...formsOf("me", PASSWORD), QUERY, encodeURIComponent(QUERY), KEY];

Deno.test("user, password and key of a service's address are sent, and are in no file and no output", async () => {
  await using service = new MockService({});
  await using guard = startGuard({
    target: new URL(service.url).origin,
    prefix: "/gate",
    authorization: `Bearer ${KEY}`,
    allows: ({ authorization, query }) => authorization === BASIC && query.get("api-key") === QUERY,
  });
  const host = `127.0.0.1:${guard.port}/gate/v1`;
  const secret = `me:${encodeURIComponent(PASSWORD)}`;
  const query = `?api-key=${encodeURIComponent(QUERY)}`;
  const env: Record<string, string> = { OPENAI_BASE_URL: `http://${secret}@${host}${query}` };
  await using project = await hostedProject({ env });
  const done = await project.call("run", "hosted.yaml");
  assert.equal(done.code, 0, done.err);
  assert.ok(guard.let.includes("POST /gate/v1/fine_tuning/jobs"), guard.let.join());
  assert.deepEqual(guard.kept, []);
  assert.match((await project.call("plan", "hosted.yaml")).out, new RegExp(`OpenAI \\(http://${host}\\)`));
  assert.match(
    (await project.call("doctor")).out,
    new RegExp(`accepts the key in OPENAI_API_KEY at http://${host}[; ]`),
  );

  env["OPENAI_BASE_URL"] = `http://you:${encodeURIComponent(PASSWORD)}@${host}${query}`;
  const wrong = await project.call("run", "hosted.yaml", "--fresh");
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /401 no Basic \[key\] for http:\/\/[^ ]*\?api-key=\[key\]/);
  assert.match((await project.call("doctor")).out, /401 no Basic \[key\]/);
  env["OPENAI_BASE_URL"] = `http://${secret}@127.0.0.1:1/v1${query}`;
  assert.match((await project.call("doctor")).out, /Cannot list the jobs/);
  env["OPENAI_BASE_URL"] = `http://${secret}@gateway.example/v1${query}`;
  const away = await project.call("run", "hosted.yaml", "--fresh");
  assert.equal(away.code, 2);
  assert.match(
    away.err,
    /^hosted\.yaml:6:9: Cannot send the password in OPENAI_BASE_URL to http:\/\/gateway\.example\/v1: /,
  );
  const file = await project.call(
    "check",
    "hosted.yaml",
    "--set",
    `provider.base_url=http://${secret}@${host}`,
  );
  assert.equal(file.code, 2);
  assert.match(file.out, /Password in provider\.base_url/);
  const asked = await project.call(
    "check",
    "hosted.yaml",
    "--set",
    `provider.base_url=http://${host}${query}`,
  );
  assert.match(asked.out, /Key in provider\.base_url/);
  for (const args of [["show", "last", "--json"], ["logs", "last"], ["runs"]]) await project.call(...args);
  for (const form of FORMS) {
    assert.deepEqual(await filesWith(project.dir, form), [], form);
    assert.ok(!project.printed.join("\n").includes(form), `${form} was printed`);
  }
});

Deno.test("a key that cannot be sent, or would be readable on its way, is refused before anything is uploaded", async () => {
  await using service = new MockService({});
  const bad: readonly (readonly [string, RegExp])[] = [
    ["", /is empty/],
    ["sk-one\nsk-two", /contains a line break/],
    [`${KEY}\n`, /begins or ends with white space/],
    ["sk-schlüssel", /contains a character that no header can carry/],
  ];
  for (const [key, found] of bad) {
    const env = { OPENAI_API_KEY: key, OPENAI_BASE_URL: service.url };
    await using project = await hostedProject({ env });
    for (const command of ["check", "plan", "run"]) {
      const { code, out, err } = await project.call(command, "hosted.yaml");
      assert.equal(code, 2, command);
      assert.match(out + err, found);
      if (key.trim() !== "") assert.ok(!(out + err).includes(key.trim()));
    }
    if (key.includes("\n")) assert.match((await project.call("doctor")).out, found);
  }
  await using project = await hostedProject({ env: { OPENAI_BASE_URL: "http://gateway.example/v1" } });
  for (const command of ["check", "plan", "run"]) {
    const { code, out, err } = await project.call(command, "hosted.yaml");
    assert.equal(code, 2, command);
    assert.match(out + err, /Cannot send the key in OPENAI_API_KEY to http:\/\/gateway\.example\/v1/);
  }
  assert.deepEqual(service.calls, []);
});

Deno.test("a key is not sent on to where a service points, and nothing is created there", async () => {
  const sent: string[] = [];
  await using other = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    sent.push(`${request.method} ${request.headers.get("authorization")}`);
    return Response.json({ object: "list", data: [], has_more: false });
  });
  const there = `http://127.0.0.1:${other.addr.port}`;
  await using service = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.redirect(`${there}/v1/files?key=hidden`, 307),
  );
  const env = { OPENAI_BASE_URL: `http://127.0.0.1:${service.addr.port}/v1` };
  await using project = await hostedProject({ env });
  const { code, err } = await project.call("run", "hosted.yaml");
  assert.equal(code, 1);
  assert.match(err, new RegExp(`the service redirects to ${there}\\s`));
  assert.ok(sent.length > 0 && sent.every((call) => call === "GET null"), sent.join());
  assert.ok(!err.includes("hidden"));
});
