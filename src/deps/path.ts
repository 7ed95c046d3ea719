/** Paths of the system. @std/path cannot be fetched from every machine that builds temper; a swap changes this file. */
export * from "node:path";
