import type { Provider } from "../provider.ts";
import { type TrainingOptions, trainingProvider } from "../trainer/provider.ts";

/** Trains here and leaves files. */
export function localProvider(options: Omit<TrainingOptions, "kind" | "finish"> = {}): Provider {
  return trainingProvider({ ...options, kind: "local" });
}
