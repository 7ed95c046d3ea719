/** Syntax of Python that JavaScript does not have: what only the trainer can judge. */
const PYTHON_ONLY = /\(\?(?:[#(>]|[aiLmsux]*-?[imsx]*[:)])|[*+?}]\+/;

/**
 * Why a pattern cannot be a regular expression, or undefined when it may be one. The trainer matches with Python,
 * so what the two languages write differently is translated, and what only Python knows is left to it.
 */
export function regexFault(pattern: string): string | undefined {
  if (isPythonOnly(pattern)) return undefined;
  try {
    new RegExp(javaScriptPattern(pattern, "(?:expected)"));
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.slice(message.lastIndexOf(": ") + 2).toLowerCase();
  }
}

/** Whether a pattern uses syntax that JavaScript lacks. */
export function isPythonOnly(pattern: string): boolean {
  return PYTHON_ONLY.test(pattern);
}

/** A pattern of Python as JavaScript writes it, with `expected` in place of `{{ expected }}`. */
export function javaScriptPattern(pattern: string, expected: string): string {
  return pattern
    .replaceAll("(?P<", "(?<")
    .replace(/\(\?P=(\w+)\)/g, "\\k<$1>")
    .split(/\{\{\s*expected\s*\}\}/).join(expected);
}
