/** Syntax of Python that JavaScript does not have: what only the trainer can judge. */
const PYTHON_ONLY = /\(\?(?:[#(>]|[aiLmsux]*-?[imsx]*[:)])|[*+?}]\+/;

/**
 * Why a pattern cannot be a regular expression, or undefined when it may be one. The trainer matches with Python,
 * so what the two languages write differently is translated, and what only Python knows is left to it.
 */
export function regexFault(pattern: string): string | undefined {
  if (PYTHON_ONLY.test(pattern)) return undefined;
  const translated = pattern
    .replace(/\{\{\s*expected\s*\}\}/g, "(?:expected)")
    .replaceAll("(?P<", "(?<")
    .replace(/\(\?P=(\w+)\)/g, "\\k<$1>");
  try {
    new RegExp(translated);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.slice(message.lastIndexOf(": ") + 2).toLowerCase();
  }
}
