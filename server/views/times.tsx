/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { ago, left, wholeSeconds } from "../static/time_text.js";

/** How long ago, with the exact time for who asks. Ticks where scripts run. */
export function Ago({ iso, now }: { iso: string | null | undefined; now: number }) {
  if (!iso) return <span class="soft">–</span>;
  return (
    <time datetime={iso} title={iso} data-tick="ago" data-at={iso}>
      {ago(now - Date.parse(iso))}
    </time>
  );
}

/** How long it has taken since then. Ticks. */
export function Since({ iso, now }: { iso: string; now: number }) {
  return <span data-tick="since" data-at={iso}>{wholeSeconds(now - Date.parse(iso))}</span>;
}

/** How long it still takes until then. Ticks. */
export function Left({ ends, now }: { ends: string; now: number }) {
  return <span data-tick="left" data-at={ends}>{left(Date.parse(ends) - now)}</span>;
}
