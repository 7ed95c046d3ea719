import assert from "../../deps/assert.ts";
import type { HostedProject } from "./hosted_project.ts";
import { type Call, type MockOptions, MockService } from "./mock_service.ts";

/** Starts a pipeline that is killed in the middle of one call, and tells what it said until then. */
export async function killedDuring(
  which: (call: Call, moment: "arrived" | "done") => boolean,
  options: MockOptions,
  project: HostedProject,
): Promise<MockService> {
  const told: { child?: Deno.ChildProcess } = {};
  const onCall: NonNullable<MockOptions["onCall"]> = (call, moment) =>
    which(call, moment) && told.child?.kill("SIGKILL");
  const service = new MockService({ ...options, onCall });
  told.child = project.start(...project.args(service.url));
  const words = new Response(told.child.stderr).text();
  assert.equal((await told.child.status).signal, "SIGKILL", await words);
  await words;
  service.options = options;
  return service;
}
