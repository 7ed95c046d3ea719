import type { BaseInfo } from "./base.ts";

/** What is taken where provider.revision names nothing. */
export const HUB_REVISION = "main";

/** A model on Hugging Face's hub. Nothing is asked there before the trainer downloads it. */
export function hubBase(id: string, revision = HUB_REVISION): BaseInfo {
  const warnings = /^[0-9a-f]{40}$/.test(revision) ? [] : [
    `Revision "${revision}" of "${id}" can move: name a commit in provider.revision to make the run repeatable`,
  ];
  return {
    kind: "hub",
    name: id,
    identity: { kind: "hub", id, revision },
    job: { kind: "hub", id, revision },
    arch: null,
    shape: null,
    context: null,
    quantization: null,
    bytes: null,
    template: null,
    files: [],
    warnings,
  };
}
