import { isIPv4 } from "node:net";

/** Whether what listens on this address or name can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
