/** An address of a server, with what is secret about it apart from what may be shown. */
export interface Address {
  /** Without user, password, query and fragment: what is written and printed. Ends in no slash. */
  readonly shown: string;
  /** Of the header with user and password, where the address has them. */
  readonly authorization: string | undefined;
  /** Parameters that each request carries. */
  readonly query: readonly (readonly [string, string])[];
  /** Texts that must never be shown. */
  readonly secrets: readonly string[];
}

const LONG = 8;

/** Parses an address. Throws a TypeError for an invalid one; the error contains nothing of it. */
export function addressOf(text: string): Address {
  const url = parsed(text);
  const [user, password] = [decoded(url.username), decoded(url.password)];
  const query = [...url.searchParams];
  const secrets = [
    ...password === "" ? [user, url.username] : [password, url.password],
    ...query.flatMap(([name, value]) => /version$/i.test(name) ? [] : formsOf(value === "" ? name : value)),
  ];
  const hasUser = user !== "" || password !== "";
  const plain = !hasUser && !/[?#]/.test(text);
  url.username =
    url.password =
    url.search =
    url.hash =
      "";
  return {
    shown: (plain ? text : url.href).replace(/\/+$/, ""),
    query,
    ...hasUser
      ? withBasic({ secrets }, `${user}:${password}`)
      : { authorization: undefined, secrets: secretTexts(secrets) },
  };
}

/** The same address with credentials given separately: `user:password`, or a token (Bearer). */
export function withCredentials(address: Address, credentials: string, scheme?: "Bearer"): Address {
  if (scheme === undefined && credentials.includes(":")) {
    return { ...address, ...withBasic(address, credentials) };
  }
  const secrets = secretTexts([...address.secrets, credentials]);
  return { ...address, authorization: `Bearer ${credentials}`, secrets };
}

/** URL of a path below the address, with the address's own query parameters. */
export function below({ shown, query }: Address, path: string): URL {
  const url = new URL(`${shown}${path}`);
  for (const [name, value] of query) url.searchParams.append(name, value);
  return url;
}

/** An address that Deno loads modules from, without user and password: it is written and printed. */
export function withoutUser(href: string): string {
  const url = new URL(href);
  if (url.username === "" && url.password === "") return href;
  url.username = url.password = "";
  return url.href;
}

/** Whether requests carry secrets. */
export function isSecret({ authorization, query }: Address): boolean {
  return authorization !== undefined || query.length > 0;
}

/** Removes secrets from a text that may quote them. */
export function without(secrets: readonly string[], text: string, instead = "[secret]"): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, instead), text);
}

/** The same for readable text. Short secrets stay: they may be part of any word. */
export function withoutLong(secrets: readonly string[], text: string, instead?: string): string {
  return without(secrets.filter((secret) => secret.length >= LONG), text, instead);
}

/** As it is, and in the encodings an address may have. */
function formsOf(secret: string): string[] {
  return [secret, encodeURIComponent(secret), `${new URLSearchParams({ "": secret })}`.slice(1)];
}

function withBasic({ secrets }: Pick<Address, "secrets">, pair: string) {
  const basic = new TextEncoder().encode(pair).toBase64();
  const password = pair.slice(pair.indexOf(":") + 1);
  return {
    authorization: `Basic ${basic}`,
    secrets: secretTexts([...secrets, pair, ...formsOf(password), basic]),
  };
}

/** Longest first, so that no part of one remains. Single letters are in every text. */
function secretTexts(texts: readonly string[]): string[] {
  return [...new Set(texts)].filter((text) => text.length > 1).sort((a, b) => b.length - a.length);
}

function parsed(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new TypeError("not an address");
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** An IPv4 address of this machine. Not by node:net, which takes longer to load than all else that `check` does. */
const LOOPBACK = /^127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/** Whether this address or name can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || LOOPBACK.test(host);
}
