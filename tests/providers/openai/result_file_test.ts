import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { hostedProject } from "./hosted_project.ts";
import { MockService } from "./mock_service.ts";

async function metricsWith(table: string) {
  await using service = new MockService({ table });
  await using project = await hostedProject();
  const { code, err } = await project.run(service.url);
  assert.equal(code, 0, err);
  const kept = await Deno.readTextFile(join(await project.lastRun(), "job", "metrics.csv"));
  assert.equal(kept, table);
  return { err, metrics: JSON.parse((await project.call("show", "last", "--json")).out).metrics };
}

Deno.test("a result file with quotes, empty cells, short rows and Windows lines gives its last numbers", async () => {
  const table =
    '"step", "train_loss","note, free","full_valid_loss"\r\n1,"2.0","a ""b""\nc",1.5\r\n\r\n2,0.25,,\r\n3\r\n';
  const { metrics } = await metricsWith(table);
  assert.equal(metrics.train_loss, 0.25);
  assert.equal(metrics.loss.after, 1.5);
});

Deno.test("a quote within a cell of a result file is a character like any other", async () => {
  const { metrics } = await metricsWith('step,train_loss,5" note\n1,0.5,5" pipe\n2,0.25,a "b" c\n');
  assert.equal(metrics.train_loss, 0.25);
});

Deno.test("a result file that is no table is kept, and said to be unreadable", async () => {
  const { err, metrics } = await metricsWith('step,loss\n1,"open\n');
  assert.match(
    err.replace(/\s+/g, " "),
    /result file is not available: Cannot read the result file: it is not a CSV table/,
  );
  assert.equal(metrics.train_loss, null);
});
