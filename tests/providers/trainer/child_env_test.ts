import assert from "../../deps/assert.ts";
import { installerEnv, trainerEnv } from "../../../src/providers/trainer/environment/child_env.ts";

const VARIABLES = {
  PATH: "/bin",
  HOME: "/home/me",
  OPENAI_API_KEY: "secret",
  HF_TOKEN: "secret",
  AWS_SECRET_ACCESS_KEY: "secret",
  UV_INDEX_URL: "https://me:secret@example.com",
  PIP_INDEX_URL: "https://me:secret@example.com",
  CUDA_VISIBLE_DEVICES: "0",
  PYTHONDONTWRITEBYTECODE: "1",
  PYTHONPATH: "/somewhere",
  PYTHONHOME: "/somewhere",
};

Deno.test("trainerEnv() passes what the trainer needs and no secret", () => {
  const env = trainerEnv(VARIABLES, "/trainer");
  assert.deepEqual(Object.values(env).filter((value) => value.includes("secret")), []);
  assert.equal(env["CUDA_VISIBLE_DEVICES"], "0");
  assert.equal(env["PYTHONPATH"], "/trainer");
  assert.equal(env["PYTHONDONTWRITEBYTECODE"], undefined);
  assert.equal(env["PYTHONHOME"], undefined);
  assert.equal(env["HF_HUB_DISABLE_TELEMETRY"], "1");
});

Deno.test("installerEnv() passes where packages come from, and no other secret", () => {
  const env = installerEnv(VARIABLES);
  assert.deepEqual(Object.keys(env).sort(), [
    "DO_NOT_TRACK",
    "HOME",
    "PATH",
    "PIP_INDEX_URL",
    "PYTHONUTF8",
    "UV_INDEX_URL",
  ]);
});
