import config from "../../deno.json" with { type: "json" };

/** Version of temper, as released. */
export const VERSION: string = config.version;
