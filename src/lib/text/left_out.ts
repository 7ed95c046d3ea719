import { counted } from "./format.ts";

/** How many rows `dataset.checks.too_long: drop` left out, in words; `undefined` for none. */
export function leftOutText(train = 0, held = 0): string | undefined {
  const parts = [
    ...train > 0 ? [counted(train, "training row")] : [],
    ...held > 0 ? [counted(held, "held-out row")] : [],
  ];
  return parts.length === 0 ? undefined : `${parts.join(" and ")} left out as too long`;
}
