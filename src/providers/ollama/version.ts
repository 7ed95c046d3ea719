import { TemperError } from "../../lib/errors.ts";

/** The first version that renders the chat template in the file. */
const FIRST = [0, 30] as const;

/** Throws when a server cannot render Jinja. One without a version was built by hand and counts as new. */
export function refuseOldServer(server: string, version: string, model: string): void {
  const [major, minor] = version.split(".").map(Number);
  const known = major !== undefined && minor !== undefined && version !== "0.0.0" &&
    Number.isInteger(major) && Number.isInteger(minor);
  if (!known || major > FIRST[0] || minor >= FIRST[1]) return;
  throw new TemperError(
    "ollama-too-old",
    `Cannot register "${model}" at ${server}: Ollama ${version} does not render Jinja chat templates`,
    {
      hint: `Update Ollama to ${
        FIRST.join(".")
      } or newer, or train with provider.template: chatml (or another family)`,
    },
  );
}
