/** Runs of older versions load: part of the promise, and quick enough to be tested everywhere. */
await import("../log/history_test.ts");
