/**
 * The address that a value of OLLAMA_HOST means, by Ollama's own rules (envconfig.ConnectableHost): a host, a port, both,
 * or an address with a path. Unlike Ollama, it keeps a user and password before the host, and a query.
 */
export function ollamaHost(value: string): string {
  const text = trimmed(value);
  const [, scheme, rest = text] = /^(.*?):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === undefined && text === "ollama.com") return "https://ollama.com:443";
  const usual = { http: "80", https: "443" }[scheme ?? ""] ?? "11434";
  const [, authority = "", path = ""] = /^([^/?#]*)(.*)$/s.exec(rest) ?? [];
  const at = authority.lastIndexOf("@") + 1;
  const [host, port] = splitHost(authority.slice(at), usual);
  const user = authority.slice(0, at);
  return `${scheme ?? "http"}://${user}${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
}

/** As Ollama reads variables. */
function trimmed(value: string): string {
  return value.trim().replace(/^["']+|["']+$/g, "").trim();
}

function splitHost(text: string, usual: string): [string, string] {
  const split = hostAndPort(text);
  const [host, port] = split ?? [text.replace(/^[[\]]+|[[\]]+$/g, ""), usual];
  const valid = /^[+-]?\d+$/.test(port) && Number(port) >= 0 && Number(port) <= 65_535;
  return [connectable(host), valid ? String(Number(port)) : usual];
}

/** What a server listens on is not always what a client can connect to. */
function connectable(host: string): string {
  if (host === "" || host === "0.0.0.0") return "127.0.0.1";
  if (!isIpv6(host)) return host;
  const short = new URL(`http://[${host}]`).hostname.slice(1, -1);
  return short === "::" ? "::1" : short;
}

/** Not by node:net, which takes longer to load than all else that `check` does. */
function isIpv6(host: string): boolean {
  return /^[\da-f.]*:[\da-f.:]*$/i.test(host) && URL.canParse(`http://[${host}]`);
}

/** Like Go's net.SplitHostPort; undefined where that fails, as without a port. */
function hostAndPort(text: string): [string, string] | undefined {
  const colon = text.lastIndexOf(":");
  if (colon < 0) return undefined;
  const [, inner, port] = /^\[([^\]]*)\]:(.*)$/s.exec(text) ?? [];
  if (inner !== undefined && port !== undefined) {
    return /[[\]:]/.test(port) || inner.includes("[") ? undefined : [inner, port];
  }
  const host = text.slice(0, colon);
  return /[[\]:]/.test(host) || /[[\]]/.test(text.slice(colon)) ? undefined : [host, text.slice(colon + 1)];
}
