// deno-lint-ignore-file camelcase -- names of the log
import assert from "../../deps/assert.ts";
import { endpointOfJob, readJobRef, readJobToCancel } from "../../../src/providers/openai/job/job_ref.ts";
import {
  failuresByCall,
  pendingIntent,
  refuseUnknown,
  seenEvents,
} from "../../../src/providers/openai/job/records.ts";

const REF = {
  provider: "openai",
  id: "ftjob-1",
  dialect: "nebius",
  base_url: "http://127.0.0.1:1/v1",
  api_key_env: "K",
  model: "m",
  how: "created",
  started: "2026-11-22T00:00:00.000Z",
};

Deno.test("readJobRef() reads a committed job, and nothing that is not one", () => {
  assert.equal(endpointOfJob(readJobRef(REF)).dialect.name, "nebius");
  assert.throws(() => readJobRef({ ...REF, base_url: 1 }));
  assert.throws(
    () => endpointOfJob(readJobRef({ ...REF, dialect: "gone" })),
    /no dialect "gone"$/,
  );
  assert.deepEqual(readJobToCancel({ provider: "openai", records: [{ event: "e" }] }), {
    records: [{ event: "e" }],
  });
});

Deno.test("pendingIntent() is the last try of its creation that was not refused", () => {
  const tried = (at: number) => ({ intent: "job", at, suffix: "s", training_file: "f", known: [] });
  const refused = { refused: "job", at: 2 };
  assert.equal(pendingIntent([tried(1), { intent: "file x", at: 9 }], "job")?.at, 1);
  assert.equal(pendingIntent([tried(1), refused], "job"), undefined);
  assert.equal(pendingIntent([tried(1), refused, tried(3)], "job")?.at, 3);
});

Deno.test("records of another version are refused before a job is created, and passed over elsewhere", () => {
  const records = [{ event: "a" }, { heartbeat: 1 }, { call: "list the files", failures: 1 }];
  assert.throws(() => refuseUnknown(records), { code: "unknown-record", message: /: \{"heartbeat":1\}$/ });
  refuseUnknown([records[0]!, records[2]!]);
  assert.deepEqual([...seenEvents(records)], ["a"]);
  assert.deepEqual([...failuresByCall(records)], [["list the files", 1]]);
});

Deno.test("failuresByCall() takes the last count of a call", () => {
  const counts = [1, 2, 0].map((failures) => ({ call: "list the files", failures }));
  assert.deepEqual([...failuresByCall(counts)], [["list the files", 0]]);
});
