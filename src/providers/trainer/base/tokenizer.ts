import { join } from "../../../deps/path.ts";
import { UsageError } from "../../../lib/errors.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import { EXPORT_HINT } from "./architectures.ts";
import { type Config, parseObject } from "./config.ts";
import { hasKnownPreTokenizer } from "./pretokenizers.ts";

/** Refuses a folder whose tokenizer cannot be read or, with `gguf`, not be written as GGUF. */
export async function checkTokenizer(base: string, path: string, gguf: boolean, fs: Fs): Promise<void> {
  const listed = await fs.list(path);
  if (!listed.includes("tokenizer.json")) return checkWithout(base, listed, gguf);
  if (!gguf) return;
  const tokenizer = parseObject(await fs.readText(join(path, "tokenizer.json")));
  const model = tokenizer?.["model"] as Config | undefined;
  if (!tokenizer || typeof model !== "object" || model === null) {
    throw new UsageError("base-unreadable", `Cannot use base "${base}": its tokenizer.json cannot be read`, {
      hint: "Download or copy it again",
    });
  }
  const found = inexpressible(tokenizer, model);
  if (found !== undefined) throw unexportable(base, found);
}

/** transformers makes a tokenizer.json of vocab.json and merges.txt, and of tokenizer.model. */
function checkWithout(base: string, listed: readonly string[], gguf: boolean): void {
  if (listed.includes("tokenizer.model")) {
    if (gguf) {
      throw unexportable(base, `its tokenizer is SentencePiece ("tokenizer.model"), not byte-level BPE`);
    }
    return;
  }
  if (listed.includes("vocab.json") && listed.includes("merges.txt")) return;
  throw new UsageError("base-unsupported", `Cannot use base "${base}": the folder has no tokenizer.json`, {
    hint: "Save the model's fast tokenizer into the folder: " +
      'AutoTokenizer.from_pretrained("…").save_pretrained("…") writes tokenizer.json',
  });
}

function unexportable(base: string, found: string): UsageError {
  return new UsageError("base-unsupported", `Cannot export base "${base}" as GGUF: ${found}`, {
    hint: EXPORT_HINT,
  });
}

/** What GGUF cannot express about a tokenizer. */
function inexpressible(tokenizer: Config, model: Config): string | undefined {
  if (model["type"] !== "BPE" || model["byte_fallback"]) {
    const kind = model["type"] === "BPE" ? "SentencePiece BPE" : model["type"];
    return `its tokenizer is "${kind}", not byte-level BPE`;
  }
  const normalizer = tokenizer["normalizer"] as Config | null | undefined;
  if (normalizer && normalizer["type"] !== "NFC") {
    return `its tokenizer normalises text first ("${normalizer["type"]}")`;
  }
  return hasKnownPreTokenizer(tokenizer) ? undefined : "llama.cpp has no name for its pre-tokenizer";
}
