import { age, duration, share } from "../../src/lib/format.ts";
import type { StepStatus } from "../../src/log/state.ts";
import type { RowStatus } from "../run_row.ts";

const MARKS: Readonly<Record<RowStatus | StepStatus | "stalled", string>> = {
  running: "▸",
  stalled: "◌",
  interrupted: "‖",
  done: "✓",
  failed: "✗",
  cancelled: "■",
  unreadable: "?",
  retrying: "↻",
  pending: "·",
};

/** A state in a word, told apart by mark and colour. */
export function Badge({ state, stalled = false }: { state: RowStatus | StepStatus; stalled?: boolean }) {
  const shown = stalled ? "stalled" : state;
  return (
    <span class={`badge ${shown}`}>
      <span aria-hidden="true">{MARKS[shown]}</span> {shown}
    </span>
  );
}

/** How long ago, with the exact time for who asks. */
export function Ago({ iso, now }: { iso: string | null | undefined; now: number }) {
  if (!iso) return <span class="soft">–</span>;
  const text = age(now - Date.parse(iso));
  return <time datetime={iso} title={iso}>{text === "now" ? "just now" : `${text} ago`}</time>;
}

export function Took({ ms }: { ms: number | undefined }) {
  return ms === undefined ? <span class="soft">–</span> : <>{duration(ms)}</>;
}

/** `0% → 93.3%` */
export function Change({ before, after }: { before: number | null; after: number | null }) {
  if (before === null && after === null) return <span class="soft">–</span>;
  if (before === null || after === null) return <>{share((before ?? after)!)}</>;
  return (
    <>
      <span class="soft">{share(before)}</span>
      <span class="soft arrow">→</span>
      <strong>{share(after)}</strong>
    </>
  );
}

/** One figure of a row of figures. */
export function Figure({ label, children }: { label: string; children?: unknown }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
