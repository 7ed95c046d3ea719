import { isLoopback } from "./address.ts";

/** What is wrong with a password that is sent encoded; undefined where nothing is. */
export function passwordFault(secret: string): string | undefined {
  if (secret.trim() === "") return "is empty";
  if (/[\r\n]/.test(secret.trim())) return "contains a line break";
  if (secret !== secret.trim()) return "begins or ends with white space";
  // deno-lint-ignore no-control-regex -- they are what is looked for
  return /[\x00-\x1f\x7f]/.test(secret) ? "contains a control character" : undefined;
}

/** The same of a key or token, which is sent as it is. */
export function tokenFault(token: string): string | undefined {
  const fault = passwordFault(token);
  if (fault !== undefined) return fault;
  if (token.includes(" ")) return "contains a space";
  return /^[\x21-\x7e]+$/.test(token) ? undefined : "contains a character that no header can carry";
}

/** Whether what is sent there crosses a network that others may read. */
export function isReadable(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "http:" && !isLoopback(hostname.replace(/^\[|\]$/g, ""));
}
