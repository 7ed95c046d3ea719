import { isMap, parseDocument } from "yaml";
import type { Json } from "../../lib/json.ts";
import { resolveTraining } from "../../plan/defaults.ts";
import { fieldDescription } from "../../spec/describe.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { Setting } from "../provider.ts";
import type { BaseInfo } from "./base/base.ts";

const IN_FILE = "set in the file";

/** Every resolved setting of method, training and export, with the reason of its value. */
export function trainingSettings(loaded: LoadedSpec, base: BaseInfo): Setting[] {
  const { method, train, provider } = loaded.spec;
  const given = givenFields(loaded);
  const resolved = resolveTraining(loaded.spec, base.shape?.parameters);
  const own: Record<string, { readonly value: number; readonly reason: string }> = {
    "train.epochs": resolved.epochs,
    "train.learning_rate": resolved.learningRate,
  };
  const values: Record<string, Json> = {
    ...fields("method", method),
    ...fields("train", { epochs: 0, learning_rate: 0, ...train }),
    ...provider.kind === "openai" ? {} : fields("provider.export", provider.export),
  };
  return Object.entries(values).map(([field, value]) => {
    const special = own[field];
    const described = () =>
      fieldDescription(field, { method: method.kind, provider: provider.kind }) ?? "default";
    const reason = given(field) ? IN_FILE : special?.reason ?? described();
    return { field, value: special?.value ?? value, reason };
  });
}

function fields(prefix: string, object: object): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined).map((
      [name, value],
    ) => [`${prefix}.${name}`, value]),
  );
}

/** Whether the file itself names a field, before defaults. */
function givenFields(loaded: LoadedSpec): (field: string) => boolean {
  const document = parseDocument(loaded.text);
  return (field) => isMap(document.contents) && document.hasIn(field.split("."));
}
