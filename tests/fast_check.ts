import fc from "npm-fast-check";

/** What `deno task test` says, so that every property is tried on the same values when that is repeated. */
const seed = Deno.env.get("TEMPER_SEED");
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) | 0 });

export * from "npm-fast-check";
export default fc;
