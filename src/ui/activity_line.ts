import { duration } from "../lib/text/format.ts";
import type { RunState } from "../log/run_state.ts";
import { type Activity, ACTIVITY_MARKS } from "../view/activity.ts";
import type { Paint, Palette } from "./palette.ts";
import { headline } from "./run_report.ts";

/** What goes on in the run in one line: `said` where its state does not say it all. */
export function activityLine(
  state: RunState,
  { activity, said, left }: {
    readonly activity: Activity;
    readonly said: string | undefined;
    /** Milliseconds that it still takes, where that is known. */
    readonly left: number | undefined;
  },
  palette: Palette,
): string {
  const time = left === undefined ? "" : `, ${duration(left)} left`;
  if (said === undefined) return headline(state, palette) + time;
  const paint = activityPaint(activity, palette);
  return `${paint(ACTIVITY_MARKS[activity])} ${palette.bold(state.name)}: ${said}${time}`;
}

/** The colour of an activity, wherever a terminal shows it. */
export function activityPaint(activity: Activity, palette: Palette): Paint {
  switch (activity) {
    case "done":
      return palette.good;
    case "failed":
      return palette.bad;
    case "running":
    case "unattended":
      return palette.accent;
    case "waiting":
    case "stalled":
    case "trained":
    case "interrupted":
    case "cancelled":
      return palette.warn;
  }
}
