import assert from "../../deps/assert.ts";
import { partsProject } from "./parts_project.ts";

Deno.test("uploadOnce() sends a large file in parts, and goes on with them after an interruption", async () => {
  await using project = await partsProject();
  const { mock, text } = project;
  project.left = 4;
  await assert.rejects(project.upload(), /killed/);
  assert.equal(mock.count("POST", /parts$/), 3);
  project.left = Infinity;
  const id = await project.upload();
  assert.equal(mock.files.get(id)!.content, text);
  assert.equal(mock.count("POST", /^\/uploads$/), 1);
  assert.equal(mock.count("POST", /parts$/), 5, "two parts were written down, the third was sent again");
  assert.equal(await project.upload(), id);
  assert.equal(mock.files.size, 1);
});
