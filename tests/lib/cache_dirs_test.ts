import assert from "../deps/assert.ts";
import { cacheDirs } from "../../src/lib/files/cache_dirs.ts";

Deno.test("cacheDirs() shares what is large by TEMPER_CACHE, else by the platform's cache folder", () => {
  const shared = (env: Record<string, string>, os: string) =>
    cacheDirs("/project", undefined, env, os).sharedDir;
  assert.equal(shared({ TEMPER_CACHE: "/big", HOME: "/home/me" }, "linux"), "/big");
  assert.equal(shared({ TEMPER_CACHE: "near" }, "linux"), "/project/near");
  assert.equal(shared({ XDG_CACHE_HOME: "/x", HOME: "/home/me" }, "linux"), "/x/temper");
  // The specification says that a relative path is to be ignored.
  assert.equal(shared({ XDG_CACHE_HOME: "x", HOME: "/home/me" }, "linux"), "/home/me/.cache/temper");
  assert.equal(shared({ HOME: "/Users/me" }, "darwin"), "/Users/me/Library/Caches/temper");
  assert.equal(shared({ LOCALAPPDATA: "/local", HOME: "/home/me" }, "windows"), "/local/temper");
  assert.equal(shared({}, "linux"), "/project/.temper");
});

Deno.test("cacheDirs() keeps everything in the folder that was asked for", () => {
  const env = { TEMPER_CACHE: "/big", HOME: "/home/me" };
  assert.deepEqual(cacheDirs("/project", "mine", env), {
    cacheDir: "/project/mine",
    sharedDir: "/project/mine",
  });
  assert.equal(cacheDirs("/project", undefined, env).cacheDir, "/project/.temper");
});
