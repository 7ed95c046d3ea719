import { TemperError } from "./errors.ts";

const FOUND: Readonly<Record<string, readonly [code: string, found: string, hint: string]>> = {
  ENOSPC: ["disk-full", "no space is left on the device", "Free some space, then run the same command again"],
  EDQUOT: ["disk-full", "the disk quota is used up", "Free some space, then run the same command again"],
  EIO: [
    "io-error",
    "the device reports an input/output error",
    "Check the disk, then run the same command again",
  ],
  ESTALE: ["io-error", "the network file system lost the file", "Run the same command again"],
  EMFILE: [
    "io-error",
    "too many files are open",
    "Raise the limit (ulimit -n), then run the same command again",
  ],
  ENFILE: ["io-error", "too many files are open on this machine", "Run the same command again later"],
  EACCES: ["not-writable", "permission denied", "Choose a folder you can write to"],
  EPERM: ["not-writable", "the operation is not permitted", "Choose a folder you can write to"],
  EROFS: ["not-writable", "the file system is read-only", "Choose a folder you can write to"],
  ENOTDIR: ["not-a-folder", "a part of the path is a file", "Choose another folder"],
  ENAMETOOLONG: ["not-writable", "the name is too long", "Choose a shorter one"],
  ELOOP: ["not-writable", "its links lead in a circle", "Choose another path"],
  EEXIST: ["not-a-folder", "a file of that name exists", "Choose another folder"],
};

/** Whether the machine failed and not what was asked of it: the same command may succeed once it is fixed. */
export function isMachineFault({ code }: TemperError): boolean {
  return code === "disk-full" || code === "io-error";
}

/**
 * What the operating system refused, in a person's words. `action` starts the message: "Cannot write …".
 * Errors that are already explained, or that the table does not know, come back as they are.
 */
export function explainSystemError(action: string, error: unknown): unknown {
  if (error instanceof TemperError || !(error instanceof Error)) return error;
  const known = FOUND[codeOf(error)];
  if (!known) return error;
  const [code, found, hint] = known;
  return new TemperError(code, `${action}: ${found}`, { hint, cause: error });
}

/** Turns anything thrown into the error to show. Unexpected errors keep a code of their own. */
export function explainError(action: string, thrown: unknown): TemperError {
  const error = explainSystemError(action, thrown);
  if (error instanceof TemperError) return error;
  const found = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new TemperError("unexpected", `${action}: ${found}`, {
    hint: "This is a bug in temper, please report it",
    cause: thrown,
  });
}

/** The innermost reason of a failed request, in lower case: fetch wraps the system's own words several times. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return causeOf(error.cause);
  return error.message.split(": ").at(-1)!.replace(/ \(os error \d+\)/, "").toLowerCase();
}

function codeOf(error: Error): string {
  // Files of the system, such as those in /proc, which Deno lets no program touch that has not every right.
  if (error.name === "NotCapable" && error.message.startsWith("Requires all access")) return "EPERM";
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
