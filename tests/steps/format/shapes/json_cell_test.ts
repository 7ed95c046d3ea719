import assert from "../../../deps/assert.ts";
import { parseJsonCell } from "../../../../src/steps/format/shapes/json_cell.ts";

const reason = (value: Parameters<typeof parseJsonCell>[0]) => {
  const cell = parseJsonCell(value);
  return cell.ok ? "ok" : cell.reason;
};

Deno.test("parseJsonCell() gives lists and objects as they are, and those of JSON text", () => {
  for (const value of [[1], { a: 1 }, "[1]", ' {"a": 1}', "[]"]) {
    const cell = parseJsonCell(value);
    assert.deepEqual(cell.ok && cell.value, typeof value === "string" ? JSON.parse(value) : value);
  }
});

Deno.test("parseJsonCell() says why a cell is neither", () => {
  assert.equal(reason(undefined), "is missing, not a list or an object");
  assert.equal(reason("hello"), "is text, not a list or an object");
  for (
    const text of ["[{'role': 'user'}]", "[ {'a': None}]", '{"a": None}', '[{"a": True}]', "[array([1])]"]
  ) {
    assert.equal(reason(text), "is Python's repr, not JSON: write it with json.dumps", text);
  }
  assert.match(reason('[{"a": 1,}]'), /^is not valid JSON: an extra comma \(column 9, near /);
  assert.match(
    reason('[{"a": 1, "a": 2}]'),
    /^cannot be read .*: the key "a" is given twice \(column 11, near /,
  );
  assert.match(
    reason("[12345678901234567890]"),
    /^is JSON text with a number .*more digits/,
  );
});
