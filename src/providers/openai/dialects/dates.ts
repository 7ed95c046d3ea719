import { TemperError } from "../../../lib/errors.ts";
import { type Endpoint, type HostedSpec, isOwnHost } from "./dialect.ts";
import { familyOf } from "./prices.ts";

const DAY_MS = 86_400_000;
const WARN_DAYS = 90;

/** The day from which something is no longer possible, as the services announced it by 2026-11-22. */
interface End {
  readonly day: string;
  readonly what: string;
}

const OPENAI_CLOSES: End = { day: "2027-01-06", what: "OpenAI takes no new fine-tuning jobs" };

/** When new trainings of a base end, by dialect. */
const BASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  openai: {
    "gpt-4.1-nano-2025-04-14": "2026-10-23",
    "o4-mini-2025-04-16": "2026-10-23",
    "gpt-3.5-turbo-0125": "2026-10-23",
    "gpt-3.5-turbo": "2026-10-23",
    "babbage-002": "2026-10-23",
    "davinci-002": "2026-10-23",
    "gpt-4o-2024-08-06": "2027-01-14",
    "gpt-4o-2024-11-20": "2027-01-14",
    "gpt-4o-mini-2024-07-18": "2027-01-14",
    "gpt-4.1-2025-04-14": "2027-01-14",
    "gpt-4.1-mini-2025-04-14": "2027-01-14",
  },
  azure: {
    "gpt-4o-2024-08-06": "2027-04-01",
    "gpt-4o-mini-2024-07-18": "2027-04-01",
    "gpt-4.1-2025-04-14": "2027-04-14",
    "gpt-4.1-mini-2025-04-14": "2027-04-14",
    "gpt-4.1-nano-2025-04-14": "2027-04-14",
    "o4-mini-2025-04-16": "2027-04-16",
  },
};

export const ALTERNATIVES =
  "Move on with dialect nebius or azure, or train open weights here with provider ollama or local: see the README";

/** What closes, as sentences for `plan`: from 90 days before. */
export function closingNotes(base: string, endpoint: Endpoint, now: number): string[] {
  const notes = endsOf(base, endpoint).filter(({ day }) => now > Date.parse(day) - WARN_DAYS * DAY_MS)
    .map(({ day, what }) => `${what} ${now < Date.parse(day) ? "from" : "since"} ${day}`);
  return notes.length === 0 ? [] : [...notes, ALTERNATIVES];
}

/** Refuses a new job that the service would refuse after the upload. Adopting one stays possible. */
export function refuseClosed(spec: HostedSpec, endpoint: Endpoint, now: number): void {
  // Somebody's gateway or a mock closes when its owner says so.
  if (!isOwnHost(endpoint)) return;
  const over = endsOf(spec.provider.base, endpoint).find(({ day }) => now >= Date.parse(day));
  if (!over) return;
  throw new TemperError("service-closed", `Cannot start a job: ${over.what} since ${over.day}`, {
    hint: ALTERNATIVES,
  });
}

function endsOf(model: string, { dialect }: Endpoint): End[] {
  const family = familyOf(model);
  const days = BASES[dialect.name] ?? {};
  const day = Object.hasOwn(days, family) ? days[family] : undefined;
  const base = day === undefined ? [] : [{ day, what: `${dialect.service} has no base model "${family}"` }];
  return dialect.name === "openai" ? [OPENAI_CLOSES, ...base] : base;
}
