/** Shapes of keys that services give out. What one matches is a key, wherever it stands. */
const SHAPES: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g,
  // OpenAI, Anthropic and those who took after them; Stripe. A part of 16 letters and digits tells them from a name.
  /\b(?:sk|pk|rk)-(?=[\w-]*(?<![A-Za-z0-9])(?=[A-Za-z]*\d)[A-Za-z0-9]{16})[A-Za-z0-9_-]{16,}/g,
  /\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}/g,
  // Hugging Face, GitHub, GitLab, npm, Slack, Google, AWS.
  /\b(?:hf|api_org)_[A-Za-z0-9]{16,}/g,
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})/g,
  /\bglpat-[A-Za-z0-9_-]{16,}/g,
  /\bnpm_[A-Za-z0-9]{30,}/g,
  /\bxox[a-z]-[A-Za-z0-9-]{10,}/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  // JSON web tokens, and Nebius' own.
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*/g,
  /\bv1\.[A-Za-z0-9_-]{40,}(?:\.[A-Za-z0-9_-]*)*/g,
  /(?<=\bBearer\s+)(?=[A-Za-z._~+/=-]*\d)[A-Za-z0-9._~+/=-]{12,}/gi,
  // Base64, which prose after the word "basic" is not: with a digit, padding, or capitals within.
  /(?<=\b[Bb]asic\s+)(?=[A-Za-z+/]*[\d=]|[a-z+/]*[A-Z][A-Za-z+/]*[a-z][A-Za-z+/]*[A-Z])[A-Za-z0-9+/]{12,}={0,2}/g,
];

/** Of an address: user and password, and parameters that are called like a secret. */
const IN_ADDRESS: readonly RegExp[] = [
  /(?<=\b[a-z][a-z0-9+.-]*:\/\/)(?:[^\s"'<>/?#]+|[^\s"'<>/:]+:(?!\d+\/)[^\s"'<>]+)(?=@)/gi,
  /(?<=[?&](?:[\w.-]*[_.-])?(?:(?:api|access|subscription)?key|\w*token|\w*secret|password|passwd|pwd|sig|signature|auth|credentials?|code)=)[^&#\s"'<>…]+/gi,
];

/** Of a field such as `api_key_env: NAME`. */
const NAMED = /_env["']?\s*:\s*["']?([A-Z_][A-Z0-9_]*)/g;
const CALLED_SECRET = /(^|_)(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/;
/** Shorter ones are words that may occur anywhere: `local` or `test` is what servers of one's own are often given. */
export const SHORTEST_SECRET = 8;
/** The same where nothing but a variable's name says that it holds a secret. */
const SHORTEST_UNNAMED = 12;

/** What follows a word such as "key": a guess, good enough to hide it and not to refuse it. */
const LABELLED =
  /(?<=(?:key|token|secret|credential)s?["'`]?(?:\s*[:=]|\s+is\b|\s)\s*["'`]?)(?=[^\s"'`]*\d)(?=[^\s"'`]*[A-Za-z])[A-Za-z0-9._~+/=-]{16,}/gi;
const PASSWORD = /(?<=(?:password|passwd|passphrase|\bpwd)["'`]?\s*(?:is\b|[:=])\s*["'`]?)[^\s"'`,;]{3,}/gi;
/** User and password before a host, without `http://`: of addresses alone, which `npm:name@1` and mail are not. */
const BARE_ADDRESS =
  /(?<=(?<![\w/@:.+-])(?!(?:mailto|npm|jsr|sip|xmpp|acct|e?mail|to|cc|from|contact):)[\w.+-]+:)(?!\/)[^\s"'`<>/@:]{3,}(?=@(?!sha\d+:)(?:localhost|[a-z][\w-]*(?:\.[\w-]+)*(?=:\d)|[a-z][\w-]*(?:\.[\w-]+)+|\d+(?:\.\d+){3})(?![\w.-]*@))/gi;
/** A long word of all kinds of characters, as no prose has it. */
const RANDOM = /(?<![\w/.-])(?=\w*[a-z])(?=\w*[A-Z])(?=\w*\d)[A-Za-z0-9_]{40,}(?![\w/.-])/g;

/** Where a text holds what is certainly a key, or a password in an address; undefined where it holds none. */
export function secretIn(text: string): string | undefined {
  // What was masked before has nothing to hide any more.
  return [...SHAPES, ...IN_ADDRESS].flatMap((shape) => text.match(shape) ?? []).find((found) =>
    /[^*]/.test(found)
  );
}

/** The text with every certain secret, and those `known`, turned into as many asterisks: places in it stay. */
export function masked(text: string, known: readonly string[] = []): string {
  const rest = known.filter((secret) => secret.length > 2)
    .reduce((rest, secret) => rest.replaceAll(secret, asterisks), text);
  return [...SHAPES, ...IN_ADDRESS].reduce((rest, shape) => rest.replace(shape, asterisks), rest);
}

/** The same with what is likely one: for text that people write, such as comments. */
export function maskedText(text: string, known: readonly string[] = []): string {
  return [LABELLED, PASSWORD, BARE_ADDRESS, RANDOM].reduce(
    (rest, shape) => rest.replace(shape, asterisks),
    masked(text, known),
  );
}

/** Values of the variables that a pipeline file names as holding a secret, and of those that are called like one. */
export function secretValues(env: Readonly<Record<string, string | undefined>>, text: string): string[] {
  const named = [...text.matchAll(NAMED)].map(([, name]) => name);
  return Object.entries(env).flatMap(([name, value = ""]) =>
    (named.includes(name) && value.trim().length >= SHORTEST_SECRET) ||
      (CALLED_SECRET.test(name) && value.length >= SHORTEST_UNNAMED)
      ? [value, value.trim()]
      : []
  );
}

function asterisks(found: string): string {
  return found.replace(/[^\r\n]/g, "*");
}
