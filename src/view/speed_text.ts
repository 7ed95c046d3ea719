import type { Json, JsonObject } from "../lib/json/json.ts";
import { figure, ratio } from "../lib/text/format.ts";
import { numberOf } from "./scores.ts";

/** `77.0 tokens/s`, and how much of the device that was; undefined where nothing was measured. */
export function speedText(metrics: JsonObject): string | undefined {
  const speed = numberOf(metrics["tokens_per_second"]);
  const parts = [
    ...speed === undefined ? [] : [`${figure(speed)} tokens/s`],
    ...utilisationText(metrics),
  ];
  return parts.length === 0 ? undefined : parts.join(", ");
}

/** Model FLOPs utilisation: `MFU 41% of 218 GFLOP/s (fp32 product measured here)`. */
function utilisationText({ mfu, peak_flops: peak, dtype }: JsonObject): string[] {
  const share = numberOf(mfu);
  const rate = numberOf(peak);
  if (share === undefined || rate === undefined) return [];
  return [`MFU ${ratio(share)} of ${rateText(rate)} (${typeText(dtype)}product measured here)`];
}

function typeText(dtype: Json | undefined): string {
  return typeof dtype === "string" ? `${dtype} ` : "";
}

function rateText(flops: number): string {
  return flops < 1e13 ? `${figure(flops / 1e9)} GFLOP/s` : `${figure(flops / 1e12)} TFLOP/s`;
}
