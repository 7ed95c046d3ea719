/** What tests assert with. @std/assert cannot be fetched everywhere; a swap changes this file. */
export { deepEqual, default, equal, ok } from "node:assert/strict";
