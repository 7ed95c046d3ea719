import type { Json } from "../../../lib/json/json.ts";
import { resolveTraining } from "../../../plan/defaults.ts";
import { fieldDescription } from "../../../spec/schema/describe.ts";
import type { LoadedSpec } from "../../../spec/load.ts";
import { valueAt } from "../../../spec/yaml/path.ts";
import type { Setting } from "../../provider.ts";
import type { BaseInfo } from "../base/base.ts";

const IN_FILE = "set in the file";
const BY_OPTION = "set with --set";

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
    const reason = given(field) ?? special?.reason ?? described();
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

/** Where a field was given, before defaults; undefined when it was not. */
function givenFields({ given, overridden = [] }: LoadedSpec): (field: string) => string | undefined {
  return (field) => {
    if (valueAt(given, field.split(".")) === undefined) return undefined;
    return overridden.some((path) => `${field}.`.startsWith(`${path}.`)) ? BY_OPTION : IN_FILE;
  };
}
