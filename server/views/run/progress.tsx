/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { isTerminal } from "../../../src/log/run_state.ts";
import { moves } from "../../../src/view/activity.ts";
import { endTime, runProgress } from "../../../src/view/run_progress.ts";
import type { RunView } from "../../run_details.ts";
import { Left } from "../times.tsx";

/** How far the whole run is and what it still takes; nothing once it has ended. */
export function WholeProgress({ view: { state, activity }, now }: { view: RunView; now: number }) {
  if (isTerminal(state)) return null;
  const { share, left } = runProgress(state, now);
  const percent = `${Math.floor(share * 100)}%`;
  return (
    <p class="whole">
      <progress value={share} max={1} aria-label="Progress of the whole run"></progress>
      <span>
        <b>{percent}</b>
        {left === undefined || !moves(activity) ? null : (
          <span class="soft">
            , <Left ends={endTime(now, left)} now={now} />
          </span>
        )}
      </span>
    </p>
  );
}
