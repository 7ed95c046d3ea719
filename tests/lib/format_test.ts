import assert from "../deps/assert.ts";
import fc from "fast-check";
import {
  age,
  briefDuration,
  bytes,
  count,
  counted,
  duration,
  figure,
  share,
} from "../../src/lib/text/format.ts";
import { textWidth } from "../../src/lib/text/text_width.ts";

const S = 1000;
const MIN = 60 * S;
const H = 60 * MIN;

Deno.test("duration() names the two units that matter", () => {
  const texts: [number, string][] = [
    [-5, "0.0 s"],
    [420, "0.4 s"],
    [9_949, "9.9 s"],
    [9_950, "10 s"],
    [59_499, "59 s"],
    [59_500, "1 min"],
    [125 * S, "2 min 5 s"],
    [H - 1, "1 h"],
    [3 * H + 10 * MIN, "3 h 10 min"],
    [52 * H, "2 d 4 h"],
  ];
  for (const [ms, text] of texts) assert.equal(duration(ms), text);
});

Deno.test("briefDuration() takes at most seven columns for less than 100 days", () => {
  assert.equal(briefDuration(125 * S), "2m 5s");
  assert.equal(briefDuration(3 * H + 10 * MIN), "3h 10m");
  fc.assert(fc.property(fc.nat(99 * 24 * H), (ms) => assert.ok(textWidth(briefDuration(ms)) <= 7)));
});

Deno.test("age() names one unit", () => {
  assert.deepEqual([0, MIN, 59 * MIN, H, 23 * H, 24 * H].map(age), [
    "now",
    "1 min",
    "59 min",
    "1 h",
    "23 h",
    "1 d",
  ]);
});

Deno.test("bytes() uses decimal units and never shows four digits", () => {
  const texts: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [9_786_368, "9.8 MB"],
    [99_600_000, "100 MB"],
    [999_600_000, "1 GB"],
    [5.93e9, "5.9 GB"],
  ];
  for (const [n, text] of texts) assert.equal(bytes(n), text);
  fc.assert(fc.property(fc.nat(), (n) => assert.match(bytes(n), /^\d{1,3}(\.\d)? [kMGT]?B$/)));
});

Deno.test("count() and counted() separate thousands and agree in number", () => {
  assert.equal(count(1234567), "1,234,567");
  assert.equal(counted(1, "row"), "1 row");
  assert.equal(counted(1000, "row"), "1,000 rows");
});

Deno.test("figure() keeps about three digits", () => {
  const texts: [number, string][] = [
    [0, "0.00"],
    [4.1, "4.10"],
    [77, "77.0"],
    [0.4123, "0.412"],
    [0.0987, "0.0987"],
    [123.4, "123"],
    [13950, "13,950"],
    [0.00001, "1.0e-5"],
    [-2, "-2.00"],
    [NaN, "NaN"],
  ];
  for (const [n, text] of texts) assert.equal(figure(n), text);
});

Deno.test("share() says 0% and 100% only when it is so", () => {
  assert.deepEqual([0, 0.0001, 0.25, 56 / 60, 0.9999, 1].map(share), [
    "0%",
    "0.1%",
    "25%",
    "93.3%",
    "99.9%",
    "100%",
  ]);
});
