import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { junitCounts, junitTests } from "../../tools/junit.ts";

const XML = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="0" time="9.5">
    <testsuite name="./tests/a_test.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="a &gt; b says &quot;x&quot; &#38; &#x1f642;" classname="./tests/a_test.ts" time="1.500" line="3">
        </testcase>
        <testcase name="run" classname="./tests/a_test.ts" time="4.000" line="5"></testcase>
        <testcase name="run &gt; its step" classname="./tests/a_test.ts" time="3.000" line="6"></testcase>
        <testcase name="left out" classname="./tests/a_test.ts" time="0.000"><skipped/></testcase>
    </testsuite>
    <testsuite name="pytest" errors="0" failures="0" skipped="0" tests="1" time="1.0">
        <testcase classname="tests.test_b" name="test_b[c]" time="0.2" />
    </testsuite>
</testsuites>
`;

Deno.test("junitCounts() and junitTests() read what both runners write, a step as a part of its test", async () => {
  const dir = await Deno.makeTempDir();
  const path = join(dir, "junit.xml");
  assert.deepEqual(await junitCounts(path), { passed: 0, failed: 0, skipped: 0 });
  assert.deepEqual(await junitTests(path), []);
  await Deno.writeTextFile(path, XML);
  assert.deepEqual(await junitCounts(path), { passed: 3, failed: 1, skipped: 1 });
  assert.deepEqual(await junitTests(path), [
    { name: 'tests/a_test.ts a > b says "x" & 🙂', seconds: 1.5 },
    { name: "tests/a_test.ts run", seconds: 4 },
    { name: "tests/a_test.ts left out", seconds: 0 },
    { name: "tests.test_b test_b[c]", seconds: 0.2 },
  ]);
  await Deno.remove(dir, { recursive: true });
});
