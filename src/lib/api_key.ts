import { isLoopback } from "./loopback.ts";

/** What makes a secret one that cannot be sent as it is; undefined where nothing does. */
export function secretFault(secret: string): string | undefined {
  if (secret.trim() === "") return "is empty";
  if (/[\r\n]/.test(secret.trim())) return "contains a line break";
  if (secret !== secret.trim()) return "begins or ends with white space";
  if (!/^[\x20-\x7e]+$/.test(secret)) return "contains a character that no header can carry";
  return undefined;
}

/** The same of one that is sent as a word of its own. */
export function tokenFault(token: string): string | undefined {
  return secretFault(token) ?? (token.includes(" ") ? "contains a space" : undefined);
}

/** Whether what is sent there crosses a network that others may read. */
export function isReadable(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "http:" && !isLoopback(hostname.replace(/^\[|\]$/g, ""));
}
