import type { JsonObject } from "../lib/json/json.ts";
import { leavesOf, type RunSetting } from "../log/run_settings.ts";
import type { Setting } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { givenBy } from "../spec/origin.ts";
import { dotted } from "../spec/yaml/path.ts";
import { fieldDescription } from "../spec/schema/describe.ts";

/**
 * Every setting of a run with where its value comes from, in the order of the pipeline file. `resolved`: those that its
 * provider knows more of than the file.
 */
export function settingsOf(loaded: LoadedSpec, resolved: readonly Setting[]): RunSetting[] {
  const { method, provider, engine } = loaded.spec;
  const kinds = { method: method.kind, provider: provider.kind, engine: engine.kind };
  const spec = JSON.parse(JSON.stringify(loaded.spec)) as JsonObject;
  const settings = leavesOf(spec).map(([path, value]): RunSetting => {
    const field = dotted(path);
    const from = givenBy(loaded, path);
    if (from) return { field, value, from };
    const reason = fieldDescription(field, kinds);
    return { field, value, from: "default", ...reason !== undefined && { reason } };
  });
  // From the last: what the file has no value for goes to the front of its section.
  for (const setting of resolved.toReversed()) place(settings, keptOf(setting));
  return settings;
}

/** A given value needs no other reason than that. */
function keptOf({ field, value, reason, from }: Setting): RunSetting {
  const given = from === "file" || from === "set" || from === "matrix";
  return { field, value, ...from && { from }, ...!given && { reason } };
}

/** Instead of the file's own value, or before the others of its section where the file has none. */
function place(settings: RunSetting[], setting: RunSetting): void {
  const same = settings.findIndex(({ field }) => field === setting.field);
  if (same >= 0) return void settings.splice(same, 1, setting);
  const section = setting.field.slice(0, setting.field.indexOf(".") + 1);
  const first = settings.findIndex(({ field }) => field.startsWith(section));
  settings.splice(first < 0 ? settings.length : first, 0, setting);
}
