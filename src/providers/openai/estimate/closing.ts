import { TemperError } from "../../../lib/errors.ts";
import { listed } from "../../../lib/text/format.ts";
import type { Dialect } from "../../../spec/dialects/dialect.ts";
import { DIALECTS } from "../../../spec/dialects/registry.ts";
import { type Endpoint, isOwnHost } from "../endpoint.ts";
import type { HostedSpec } from "../hosted_spec.ts";
import { familyOf } from "./price.ts";

const DAY_MS = 86_400_000;
const WARN_DAYS = 90;

/** The day from which something is no longer possible. */
interface End {
  readonly day: string;
  readonly what: string;
}

/** What closes, as sentences for `plan`: from 90 days before. */
export function closingNotes(base: string, { dialect }: Endpoint, now: number): string[] {
  const notes = endsOf(base, dialect).filter(({ day }) => now > Date.parse(day) - WARN_DAYS * DAY_MS)
    .map(({ day, what }) => `${what} ${now < Date.parse(day) ? "from" : "since"} ${day}`);
  return notes.length === 0 ? [] : [...notes, alternatives()];
}

/** Refuses a new job that the service would refuse after the upload. Adopting one stays possible. */
export function refuseClosed(spec: HostedSpec, endpoint: Endpoint, now: number): void {
  // A gateway or a mock decides itself when it closes.
  if (!isOwnHost(endpoint)) return;
  const over = endsOf(spec.provider.base, endpoint.dialect).find(({ day }) => now >= Date.parse(day));
  if (!over) return;
  throw new TemperError("service-closed", `Cannot start a job: ${over.what} since ${over.day}`, {
    hint: alternatives(),
  });
}

/** Where to train instead: the services that announce no end, and one's own machine. */
export function alternatives(): string {
  const open = Object.values(DIALECTS).filter(({ closing }) => closing.service === undefined);
  const names = listed(open.map(({ name }) => name), "or");
  return `Use dialect ${names}, or train open weights here with provider ollama or local`;
}

function endsOf(model: string, { service, closing }: Dialect): End[] {
  const base = familyOf(model);
  const day = Object.hasOwn(closing.bases, base) ? closing.bases[base] : undefined;
  return [
    ...closing.service === undefined
      ? []
      : [{ day: closing.service, what: `${service} takes no new fine-tuning jobs` }],
    ...day === undefined ? [] : [{ day, what: `${service} has no base model "${base}"` }],
  ];
}
