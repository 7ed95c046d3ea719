/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import type { Comparison } from "../view/comparison.ts";
import { differingText } from "../view/settings.ts";
import { Table } from "./parts.tsx";

/** The settings that are not the same in all runs, with a column for each run. */
export function DifferingSettings({ comparison: { settings, cells } }: { comparison: Comparison }) {
  if (settings.length === 0) return null;
  return (
    <>
      <h2>Settings that differ</h2>
      <Table label="Settings that differ" style="differing" columns={["", ...cells.map(({ cell }) => cell)]}>
        {settings.map(({ field, values }) => (
          <tr>
            <th scope="row">{field}</th>
            {values.map((value) => <td>{differingText(value)}</td>)}
          </tr>
        ))}
      </Table>
    </>
  );
}
