/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count, counted, figure, share } from "../../../src/lib/text/format.ts";
import { sha256 } from "../../../src/lib/files/fs.ts";
import { MOST_COMPARED } from "../../compare_runs.ts";
import { type Grouping, groupName, GROUPS_PER_PAGE, ROWS_PER_GROUP, type RunGroup } from "../../groups.ts";
import { listPath, type PageQuery, ROW_STATES } from "../../query.ts";
import type { RunRow } from "../../run_row.ts";
import { Ago } from "../times.tsx";

interface GroupsProps {
  readonly groups: readonly RunGroup[];
  readonly query: PageQuery & { readonly group: Grouping };
  readonly now: number;
  /** The table of some runs. */
  readonly table: (rows: readonly RunRow[]) => unknown;
}

/** The groups of one page, which fold open. */
export function Groups({ groups, query, now, table }: GroupsProps) {
  const start = (query.page - 1) * GROUPS_PER_PAGE;
  const shown = groups.slice(start, start + GROUPS_PER_PAGE);
  return (
    <div class="groups">
      {shown.map((group) => (
        <details id={`group-${sha256(group.key).slice(0, 12)}`} open={groups.length === 1}>
          <summary>
            <GroupLine group={group} grouping={query.group} now={now} />
          </summary>
          {table(group.rows.slice(0, ROWS_PER_GROUP))}
          <p class="actions">
            {group.rows.length > ROWS_PER_GROUP
              ? <a href={listPath(query, { of: group.key })}>All {count(group.rows.length)} runs</a>
              : null}
            {group.rows.length > 1
              ? <a href={comparePath(group.rows)}>Compare {comparedText(group.rows.length)}</a>
              : null}
          </p>
        </details>
      ))}
    </div>
  );
}

export function groupPages(groups: readonly RunGroup[]): number {
  return Math.max(1, Math.ceil(groups.length / GROUPS_PER_PAGE));
}

function GroupLine({ group, grouping, now }: { group: RunGroup; grouping: Grouping; now: number }) {
  const { key, rows, states, best, least } = group;
  return (
    <span class="group-line">
      <b title={key}>{groupName(key, grouping)}</b>
      <span>{counted(rows.length, "run")}</span>
      {ROW_STATES.filter((state) => states.has(state)).map((state) => (
        <span class="soft">
          <span class={`dot ${state}`}></span> {count(states.get(state)!)} {state}
        </span>
      ))}
      {best === undefined ? null : (
        <span>
          best <b>{share(best.after!)}</b> <span class="soft">{best.metric}</span>
        </span>
      )}
      {least === undefined ? null : (
        <span>
          lowest loss <b>{figure(least.loss_after!)}</b>
        </span>
      )}
      <span class="soft">
        <Ago iso={newest(rows)} now={now} />
      </span>
    </span>
  );
}

function newest(rows: readonly RunRow[]): string | null {
  return rows.reduce<string | null>(
    (last, { started }) => started && started > (last ?? "") ? started : last,
    null,
  );
}

function comparePath(rows: readonly RunRow[]): string {
  return `/compare?${new URLSearchParams(rows.slice(0, MOST_COMPARED).map(({ id }) => ["run", id]))}`;
}

function comparedText(runs: number): string {
  return runs > MOST_COMPARED ? `the first ${MOST_COMPARED}` : "them";
}
