/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import {
  defaultsText,
  divided,
  originText,
  settingText,
  type ShownSetting,
} from "../../../src/view/settings.ts";
import { Table } from "../../../src/pages/parts.tsx";
import type { MadeWith, Part } from "../../run_files.ts";

/** What a run was made with: what was chosen for it, and below that the defaults. */
export function Settings({ made: { value, problem } }: { made: Part<MadeWith> }) {
  if (problem !== undefined) return <p class="error">{problem}</p>;
  if (!value || value.settings.length === 0) return null;
  const { chosen, defaults } = divided(value.settings);
  return (
    <section class="settings" aria-labelledby="settings">
      <h2 id="settings">Settings</h2>
      {chosen.length === 0 ? null : <SettingsTable label="Settings" settings={chosen} />}
      {defaults.length === 0 ? null : (
        <details>
          <summary>{defaultsText(defaults)}</summary>
          <SettingsTable label="Defaults" settings={defaults} />
        </details>
      )}
    </section>
  );
}

function SettingsTable({ label, settings }: { label: string; settings: readonly ShownSetting[] }) {
  const why = settings.some(({ reason }) => reason !== undefined);
  return (
    <Table label={label} columns={["Setting", "Value", "From", ...why ? ["Why"] : []]}>
      {settings.map((setting) => (
        <tr>
          <th scope="row">{setting.field}</th>
          <td class="value">{settingText(setting)}</td>
          <td>
            {setting.from === undefined
              ? null
              : <span class={`origin ${setting.from}`}>{originText(setting)}</span>}
          </td>
          {why ? <td class="soft">{setting.reason}</td> : null}
        </tr>
      ))}
    </Table>
  );
}
