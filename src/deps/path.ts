/** Paths of the system. @std/path cannot be fetched from every machine that builds temper; a swap changes this file. */
export {
  basename,
  delimiter,
  dirname,
  isAbsolute,
  join,
  matchesGlob,
  normalize,
  relative,
  resolve,
  sep,
} from "node:path";
