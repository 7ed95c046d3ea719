import { maskedText, secretValues } from "../lib/net/secrets.ts";

const NOTE = "# Keys and passwords are masked in this copy of the pipeline file.\n";

/** What a run's folder keeps of its pipeline file: the text, with what must not be read from there masked. */
export function pipelineCopy(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const masked = maskedText(text, secretValues(env, text));
  return masked === text ? text : NOTE + masked;
}
