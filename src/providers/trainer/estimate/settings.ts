import type { Json } from "../../../lib/json/json.ts";
import { type Reasoned, resolveTraining } from "../../../plan/defaults.ts";
import { fieldDescription } from "../../../spec/schema/describe.ts";
import type { LoadedSpec } from "../../../spec/load.ts";
import { GIVEN, givenBy } from "../../../spec/origin.ts";
import type { Setting } from "../../provider.ts";
import type { BaseInfo } from "../base/base.ts";

/** Every resolved setting of method, training and export, with the reason of its value. */
export function trainingSettings(loaded: LoadedSpec, base: BaseInfo): Setting[] {
  const { method, train, provider } = loaded.spec;
  const resolved = resolveTraining(loaded.spec, base.shape?.parameters);
  const own: Record<string, Reasoned<number>> = {
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
    const by = givenBy(loaded, field.split("."));
    const reason = by ? GIVEN[by] : special?.reason ?? described();
    return { field, value: special?.value ?? value, reason, from: by ?? special?.from ?? "default" };
  });
}

function fields(prefix: string, object: object): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined).map((
      [name, value],
    ) => [`${prefix}.${name}`, value]),
  );
}
