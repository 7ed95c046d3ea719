/** Reads command lines. @std/cli cannot be fetched from every machine that builds temper; a swap changes this file. */
export { parseArgs } from "node:util";
