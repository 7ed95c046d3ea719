import type { Document, ErrorCode, YAMLError } from "../../deps/yaml.ts";
import { MOST_PROBLEMS } from "../problem.ts";
import type { YamlFault } from "./yaml_problem.ts";

/** Our words where the library's leave open what to do. Codes that are not here keep the library's message. */
const WORDS: Partial<Record<ErrorCode, { message: string; hint?: string; local?: true }>> = {
  TAB_AS_INDENT: { message: "Tab in the indentation: YAML indents with spaces", hint: "use two spaces" },
  MULTIPLE_DOCS: {
    message: "Second document in the file: a pipeline file contains one",
    hint: "remove this line, or give each pipeline a file",
    local: true,
  },
  NON_STRING_KEY: { message: "Wrong type for a key: found a list, a section or an alias, expected text" },
  MISSING_CHAR: { message: "", hint: "close the quote or bracket" },
  BAD_SCALAR_START: { message: "", hint: "put the value in quotes" },
  BLOCK_AS_IMPLICIT_KEY: {
    message: "",
    hint: 'check the indentation; a value that contains ": " needs quotes',
  },
  BAD_INDENT: { message: "", hint: "check the indentation and the brackets above" },
  BAD_DQ_ESCAPE: { message: "", hint: "write the backslash twice, or use single quotes" },
  RESOURCE_EXHAUSTION: { message: "Cannot read this value: it is nested too deeply" },
};

/** The parser's errors and warnings, at most one a line: those that follow on the same line come from it. */
export function syntaxFaults(document: Document, text: string): YamlFault[] {
  const conflict = /^(?:<{7}|={7}|>{7})(?:[ \t].*)?$/m.exec(text);
  if (conflict) {
    const start = conflict.index;
    const message = "Merge conflict marker in the file: a version control merge was left unfinished";
    return [{
      start,
      end: start + conflict[0].length,
      message,
      hint: "resolve the conflict",
      reach: "fatal",
    }];
  }
  const faults: YamlFault[] = [];
  let line = { start: 0, end: -1 };
  for (const error of document.errors) {
    const at = error.pos[0];
    if (line.start <= at && at <= line.end) continue;
    line = { start: text.lastIndexOf("\n", at - 1) + 1, end: lineEnd(text, at) };
    faults.push(faultOf(error, text));
    if (error.code === "RESOURCE_EXHAUSTION" || faults.length === MOST_PROBLEMS) break;
  }
  return faults;
}

function faultOf(error: YAMLError, text: string): YamlFault {
  const words = WORDS[error.code];
  const [start, end] = error.pos;
  return {
    start,
    end: error.code === "MULTIPLE_DOCS" ? lineEnd(text, start) : end,
    message: words?.message || `Invalid YAML: ${uncapitalised(error.message)}`,
    hint: words?.hint,
    reach: error.code === "RESOURCE_EXHAUSTION" ? "fatal" : words?.local ? "local" : "misleading",
  };
}

function uncapitalised(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}
