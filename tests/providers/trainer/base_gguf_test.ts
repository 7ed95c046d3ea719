import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { ggufBase } from "../../../src/providers/trainer/base/gguf.ts";
import { type GgufOptions, writeGguf } from "./gguf_file.ts";

const dir = await Deno.makeTempDir();
const env = { fs: denoFs, clock: systemClock, cacheDir: join(dir, "cache"), env: {} };

async function read(options: GgufOptions) {
  const path = join(dir, "base.gguf");
  const bytes = writeGguf(options);
  await Deno.writeFile(path, bytes);
  return await ggufBase("mine.gguf", path, bytes.length, env);
}

Deno.test("ggufBase() takes each supported architecture", async () => {
  for (const arch of ["llama", "qwen2", "qwen3"]) assert.equal((await read({ arch })).arch, arch);
  await read({ texts: { "llama.rope.scaling.type": "yarn", "tokenizer.ggml.model": "llama" } });
});

Deno.test("ggufBase() says from the header what training cannot reproduce", async () => {
  const cases: [GgufOptions, string][] = [
    [{ counts: { "split.count": 3, "split.no": 1 } }, "it is part 2 of 3 of a split model"],
    [{ texts: { "general.type": "adapter" } }, 'its general.type is "adapter", not "model"'],
    [
      { changed: { "attention.sliding_window": 8 } },
      'its metadata "llama.attention.sliding_window" is 8, which training does not support',
    ],
    [
      { changed: { expert_count: 4 } },
      'its metadata "llama.expert_count" is 4, which training does not support',
    ],
    [
      { texts: { "llama.rope.scaling.type": "longrope" } },
      'its rotary scaling "longrope" is not one of linear, yarn, llama3',
    ],
    [
      { texts: { "tokenizer.ggml.model": "bert" } },
      'its tokenizer "bert" is neither byte-level BPE (gpt2) nor SentencePiece (llama)',
    ],
    [{ without: ["blk.1.ffn_up.weight"] }, 'tensor "blk.1.ffn_up.weight" is missing (1 in all)'],
    [{ changed: { block_count: 1 } }, 'tensor "blk.1.attn_k.weight" is unknown for llama (9 in all)'],
  ];
  for (const [options, found] of cases) {
    await assert.rejects(read(options), {
      code: "base-unsupported",
      message: `Cannot train base "mine.gguf": ${found}`,
    });
  }
  await assert.rejects(read({ texts: { "tokenizer.ggml.pre": "martian" } }), {
    message: /its pre-tokenizer "martian" is not one of llama-bpe, .* default$/,
  });
});
