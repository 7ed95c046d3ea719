/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count } from "../lib/text/format.ts";

/** One figure of a row of figures. */
export function Figure({ label, children }: { label: string; children?: unknown }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A heading below the page's own, or below a section's. */
export function Heading({ level, children }: { level: Level; children?: unknown }) {
  return level === 2 ? <h2>{children}</h2> : level === 3 ? <h3>{children}</h3> : <h4>{children}</h4>;
}
export type Level = 2 | 3 | 4;

/** A column's title, and whether it holds numbers. */
export type Column = string | { readonly title: string; readonly numbers: true; readonly about?: string };

interface TableProps {
  /** What the table holds, for who does not see it. */
  readonly label: string;
  readonly columns: readonly Column[];
  readonly style?: string;
  readonly children?: unknown;
}

/** A table that scrolls on its own where there is no room for it. */
export function Table({ label, columns, style, children }: TableProps) {
  return (
    <div class="scroll" tabindex={0} role="group" aria-label={label}>
      <table class={style}>
        <thead>
          <tr>
            {columns.map((column) =>
              column === ""
                ? <td></td>
                : typeof column === "string"
                ? <th scope="col">{column}</th>
                : <th scope="col" class="n" title={column.about}>{column.title}</th>
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function numbers(...titles: readonly string[]): Column[] {
  return titles.map((title) => ({ title, numbers: true }));
}

/** A cell that holds a number, or one in words. */
export function Cell({ children }: { children: number | string }) {
  return <td class="n">{typeof children === "number" ? count(children) : children}</td>;
}

/** A digest: all of it is there to be copied and read out, its beginning is seen. `what`: the name of its copy button. */
export function Hash({ value, what }: { value: string; what: string }) {
  return <code class="hash" title={value} data-copy="" data-what={what}>{value}</code>;
}

/** A place in a picture. */
export function at(position: number): number {
  return Math.round(position * 10) / 10;
}
