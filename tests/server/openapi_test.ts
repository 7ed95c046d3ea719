import assert from "../deps/assert.ts";
import fc from "fast-check";
import { addEveryRun } from "./every_run.ts";
import { site, stateOf } from "./kit.ts";
import {
  addressOf,
  allowed,
  Description,
  forbidden,
  HOSTILE,
  type Operation,
  type Parameter,
} from "./openapi.ts";

type Values = Map<string, readonly string[]>;

/** Values with which an operation is called unless a test says otherwise. */
function usual({ parameters }: Operation, id: string): Values {
  return new Map(parameters.filter(({ required }) => required).map(({ name }) => [name, [id]]));
}

const text = (parameter: Parameter) => parameter.in === "path" || parameter.schema.type === "array";

Deno.test("every answer of the API is one that its description has, and changes nothing, whatever the run and the request", async (t) => {
  await using s = await site();
  using runs = await addEveryRun(s);
  const before = await stateOf(s.runsDir);
  const description = new Description(await s.json("/api/openapi.json"));
  const call = async (operation: Operation, values: Values) => {
    const address = addressOf(operation, values);
    const response = await s.get(address);
    await description.check(operation, response, address.slice(0, 200));
    return { address: address.slice(0, 200), status: response.status };
  };
  for (const operation of description.operations) {
    await t.step(`${operation.path}: a run in every state`, async () => {
      for (const id of [...runs.ids, runs.removed, ...HOSTILE]) await call(operation, usual(operation, id));
    });
    await t.step(`${operation.path}: what is allowed is not refused, what is not allowed is`, async () => {
      for (const parameter of operation.parameters) {
        for (const value of allowed(parameter)) {
          const { address, status } = await call(
            operation,
            usual(operation, "full").set(parameter.name, value),
          );
          assert.notEqual(status, 400, address);
        }
        for (const value of forbidden(parameter)) {
          // Where a part of a path is left out it is another path.
          if (parameter.in === "path" && value.length === 0) continue;
          const { address, status } = await call(
            operation,
            usual(operation, "full").set(parameter.name, value),
          );
          assert.equal(status, 400, address);
        }
      }
    });
  }
  await t.step("any values together", async () => {
    const ids = fc.constantFrom(...runs.ids, ...HOSTILE);
    const one = (parameter: Parameter) =>
      fc.oneof(
        fc.constantFrom(...allowed(parameter), ...forbidden(parameter)),
        fc.array(text(parameter) ? ids : fc.string({ unit: "binary" }), { maxLength: 3 }),
      ).map((value) => [parameter.name, value] as const);
    const any = fc.constantFrom(...description.operations).chain((operation) =>
      fc.tuple(...operation.parameters.map(one)).map((values) => ({ operation, values: new Map(values) }))
    ).filter(({ operation, values }) =>
      operation.parameters.every(({ in: place, name }) => place === "query" || values.get(name)?.[0])
    );
    await fc.assert(
      fc.asyncProperty(any, async ({ operation, values }) => void await call(operation, values)),
      {
        numRuns: 500,
      },
    );
  });
  assert.deepEqual(await stateOf(s.runsDir), before);
  // Without these nothing above would have looked at more than refusals.
  for (const { path, responses } of description.operations) {
    const statuses = ["200", ...["400", "404", "422"].filter((status) => status in responses)];
    for (const status of statuses) {
      assert(description.seen.has(`${path} ${status}`), `${path} never answered ${status}`);
    }
  }
});

Deno.test("what guards the API answers as its description says", async () => {
  await using s = await site({ token: "sixteen-letters!" });
  const headers = { authorization: "Bearer sixteen-letters!" };
  const description = new Description(await (await s.get("/api/openapi.json", headers)).json());
  for (const operation of description.operations) {
    const address = addressOf(operation, usual(operation, "x"));
    const open = operation.path === "/healthz";
    for (
      const [status, sent] of [[401, {}], [401, { authorization: "Bearer wrong" }], [421, {
        host: "evil.example",
      }]] as const
    ) {
      const response = await s.get(address, sent);
      assert.equal(response.status, open && status === 401 ? 200 : status, address);
      await description.check(operation, response, address);
    }
  }
  for (let i = 0; i < 10; i++) await s.get("/api/runs", { authorization: "Bearer wrong" });
  for (const operation of description.operations) {
    const address = addressOf(operation, usual(operation, "x"));
    const response = await s.get(address, headers);
    assert.equal(response.status, operation.path === "/healthz" ? 200 : 429, address);
    await description.check(operation, response, address);
  }
});
