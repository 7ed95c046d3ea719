import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { localProvider } from "../../../src/providers/local/provider.ts";
import type { Env } from "../../../src/providers/provider.ts";
import {
  bf16Instructions,
  type FastTypes,
  fastTypes,
  type HardwareFacts,
  hardwareFacts,
  nvidiaFacts,
} from "../../../src/providers/trainer/environment/device_table.ts";
import {
  deviceFor,
  metalMemory,
  recordAnswer,
  recordSpeed,
} from "../../../src/providers/trainer/environment/machine.ts";
import { askDevices } from "../../../src/providers/trainer/environment/probe.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";
import { WITHOUT_TRAINER } from "../../e2e/kit.ts";
import { DOUBLE, Project } from "./project.ts";

const AUTO = Spec.shape.train.parse({});
const HOST = { cores: 2, memory: 16e9, name: "box" };
const PLAIN: HardwareFacts = { cpu: null, cuda: null, mps: null };
const gpu = (arch: string | undefined) => ({ arch, memory: 80e9, count: 2 });

async function withCache(use: (env: Env) => Promise<void>): Promise<void> {
  const cacheDir = await Deno.makeTempDir();
  try {
    await use({ fs: denoFs, clock: systemClock, cacheDir, env: { PATH: join(cacheDir, "nothing") } });
  } finally {
    await Deno.remove(cacheDir, { recursive: true });
  }
}

Deno.test("fastTypes() has the trainer's table: trainer/tests/test_precision.py", () => {
  const cases: [Partial<HardwareFacts>, keyof FastTypes, string, string][] = [
    [{}, "cpu", "fp32", "this CPU has no bf16 instructions"],
    [{ cpu: "AMX" }, "cpu", "bf16", "this CPU has AMX"],
    [{ cpu: "AVX512_BF16" }, "cpu", "bf16", "this CPU has AVX512_BF16"],
    [{ cpu: "Arm BF16" }, "cpu", "bf16", "this CPU has Arm BF16"],
    [{ cuda: gpu("sm_90") }, "cuda", "bf16", "this GPU (sm_90) computes bf16"],
    [{ cuda: gpu("sm_80") }, "cuda", "bf16", "this GPU (sm_80) computes bf16"],
    [{ cuda: gpu("sm_120") }, "cuda", "bf16", "this GPU (sm_120) computes bf16"],
    [{ cuda: gpu("sm_75") }, "cuda", "fp16", "this GPU (sm_75) has no bf16"],
    [{ mps: { bf16: true } }, "mps", "bf16", "this Apple GPU computes bf16"],
    [{ mps: { bf16: false } }, "mps", "fp32", "bf16 on an Apple GPU needs macOS 14"],
    // What nobody could be asked
    [{ cpu: undefined }, "cpu", "fp32", "assumed: the first run asks PyTorch"],
    [{ cuda: gpu(undefined) }, "cuda", "bf16", "assumed: the first run asks PyTorch"],
  ];
  for (const [facts, kind, dtype, why] of cases) {
    const found = fastTypes({ ...PLAIN, ...facts });
    assert.equal(Object.keys(found)[0], kind);
    assert.deepEqual([found[kind]!.dtype, found[kind]!.why], [dtype, why]);
  }
});

Deno.test("bf16Instructions() reads what Linux lists", () => {
  const intel = (flags: string) => `processor\t: 0\nflags\t\t: fpu sse2 ${flags} avx2\nbugs\t\t: amx_tile\n`;
  assert.equal(bf16Instructions(intel("avx512_bf16 amx_tile")), "AMX");
  assert.equal(bf16Instructions(intel("avx512_bf16")), "AVX512_BF16");
  assert.equal(bf16Instructions(intel("avx512f")), null);
  assert.equal(bf16Instructions("Features\t: fp asimd i8mm bf16\n"), "Arm BF16");
  assert.equal(bf16Instructions("Features\t: fp asimd\n"), null);
  assert.equal(bf16Instructions(""), null);
});

Deno.test("nvidiaFacts() takes the first GPU and counts all", () => {
  assert.deepEqual(nvidiaFacts("9.0, 81559\n9.0, 81559\n"), {
    arch: "sm_90",
    memory: 81559 * 2 ** 20,
    count: 2,
  });
  assert.equal(nvidiaFacts("12.0, 32607\n")?.arch, "sm_120");
  for (const text of ["", "No devices were found", "[N/A], 8000"]) assert.equal(nvidiaFacts(text), undefined);
});

Deno.test({
  name: "plan's own table says of this machine what the trainer says",
  ignore: WITHOUT_TRAINER,
  fn: () =>
    withCache(async (env) => {
      const python = Deno.env.get("TEMPER_PYTHON")!;
      const trainer = fileURLToPath(new URL("../../../trainer", import.meta.url));
      const all = { ...env, env: Deno.env.toObject() };
      const answer = await askDevices(python, trainer, all, new AbortController().signal);
      const own = fastTypes(await hardwareFacts(all));
      const types = (found: FastTypes) =>
        Object.entries(found).map(([kind, type]) => [kind, type!.dtype, type!.why]);
      assert.deepEqual(types(answer!.devices), types(own));
    }),
});

Deno.test("deviceFor() believes the trainer's answer for this host and environment", () =>
  withCache(async (env) => {
    const answer = (host: string, why: string) => ({
      torch: "2.15.0",
      host,
      devices: {
        cuda: { dtype: "fp16" as const, why, memory: 16e9 },
        cpu: { dtype: "bf16" as const, why: "cpu" },
      },
    });
    await recordAnswer(env, answer("box", "here"));
    await recordAnswer(env, answer("other", "there"));
    const here = await deviceFor(AUTO, env, HOST);
    assert.deepEqual([here.kind, here.dtype, here.why, here.memory], ["cuda", "fp16", "here", 16e9]);
    assert.equal(here.weightBytes, 2);
    const cpu = await deviceFor({ ...AUTO, device: "cpu" }, env, HOST);
    assert.deepEqual([cpu.kind, cpu.dtype, cpu.memory], ["cpu", "bf16", 16e9]);
    const asked = await deviceFor({ ...AUTO, dtype: "fp32" }, env, HOST);
    assert.deepEqual([asked.dtype, asked.why, asked.weightBytes], ["fp32", "set in train.dtype", 4]);
    assert.equal((await deviceFor(AUTO, env, { ...HOST, name: "other" })).why, "there");
    // Another Python, or the host's name may not be asked for
    const given = { ...env, env: { ...env.env, TEMPER_PYTHON: "/usr/bin/python3" } };
    assert.notEqual((await deviceFor(AUTO, given, HOST)).why, "here");
    assert.equal((await deviceFor(AUTO, env, { ...HOST, name: undefined })).dtype, "fp16");
  }));

Deno.test("deviceFor() with sizes of its own takes CUDA devices, unless the file names another", () =>
  withCache(async (env) => {
    const described = { ...env, asked: { memory: { count: 8, each: 80e9 } } };
    const { kind, dtype, memory, count, speed } = await deviceFor(AUTO, described, HOST);
    assert.deepEqual([kind, dtype, memory, count, speed], ["cuda", "bf16", 80e9, 8, undefined]);
    const apple = { ...env, asked: { memory: { count: 1, each: 24 * 2 ** 30 } } };
    assert.equal((await deviceFor({ ...AUTO, device: "mps" }, apple, HOST)).memory, 16 * 2 ** 30);
    const cpu = await deviceFor({ ...AUTO, device: "cpu" }, described, HOST);
    assert.deepEqual([cpu.kind, cpu.dtype, cpu.count], ["cpu", "fp32", 8]);
  }));

Deno.test("deviceFor() knows a speed by its type; earlier versions knew one for each device", () =>
  withCache(async (env) => {
    const before = { flopsPerSecond: 5e10, measured: "2026-11-01T00:00:00Z" };
    await Deno.writeTextFile(
      join(env.cacheDir, "machine.json"),
      JSON.stringify({ version: 1, devices: { cpu: before } }),
    );
    const speed = async (dtype: "fp32" | "bf16") =>
      (await deviceFor({ ...AUTO, device: "cpu", dtype }, env, HOST)).speed!;
    assert.match((await speed("fp32")).basis, /^50 GFLOP\/s measured here on 2026-11-01/);
    assert.match((await speed("bf16")).basis, /assumed for 2 cores/);
    await recordSpeed(env, { device: "cpu", dtype: "bf16" }, { flopsPerSecond: 2e11 });
    assert.equal((await speed("bf16")).flopsPerSecond, 2e11);
    assert.equal((await speed("fp32")).flopsPerSecond, 5e10);
  }));

Deno.test("metalMemory() is two thirds, and three quarters of a large machine", () => {
  assert.equal(metalMemory(24 * 2 ** 30), 16 * 2 ** 30);
  assert.equal(metalMemory(64 * 2 ** 30), 48 * 2 ** 30);
});

Deno.test("configure() has the trainer name its devices once for each machine and environment", async () => {
  await using project = await Project.make("home");
  const local = localProvider({ trainerDir: DOUBLE });
  const path = join(project.env.cacheDir, "machine.json");
  await local.configure(await project.work());
  const { answers } = JSON.parse(await Deno.readTextFile(path));
  const [[key, answer]] = Object.entries(answers) as [[string, { devices: FastTypes }]];
  assert.equal(key, `${Deno.hostname()} ${project.env.env["TEMPER_PYTHON"]}`);
  assert.equal(answer.devices.cpu?.why, "the double says so");
  const first = await Deno.stat(path);
  await local.configure(await project.work("run-2"));
  assert.deepEqual((await Deno.stat(path)).mtime, first.mtime);
  const device = await deviceFor(AUTO, project.env, { ...HOST, name: Deno.hostname() });
  assert.deepEqual([device.dtype, device.why], ["bf16", "the double says so"]);
});
