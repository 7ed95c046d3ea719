import { UsageError } from "../../../lib/errors.ts";

/** Which build of PyTorch an environment has: what the lock file names, or the one without CUDA. */
export type TorchBackend = "lock" | "cpu";

type Variables = Readonly<Record<string, string | undefined>>;

/** Packages that are other files, or not needed, in the CPU build. */
const CUDA = /^(?:torch|triton|nvidia-[\w-]+|cuda-[\w-]+)==/;

/** The build that TEMPER_TORCH_BACKEND asks for. */
export function torchBackend(env: Variables): TorchBackend {
  const asked = env["TEMPER_TORCH_BACKEND"];
  if (!asked) return "lock";
  if (asked === "cpu") return asked;
  throw new UsageError(
    "bad-torch-backend",
    `Cannot use TEMPER_TORCH_BACKEND="${asked}": the only value is cpu`,
    {
      hint: "Without it, the build of requirements.lock is installed, which is the one for CUDA on Linux",
    },
  );
}

/**
 * The lock file without PyTorch and CUDA, and the version of PyTorch that it names. The hashes of the lock are those
 * of the CUDA build's files, so the CPU build is installed by its version, without hashes.
 */
export function withoutTorch(lockFile: string): { readonly rest: string; readonly torch: string } {
  const entries = lockFile.split(/^(?=[\w#])/m);
  const torch = /^torch==(\S+)/m.exec(lockFile)?.[1];
  if (torch === undefined) throw new TypeError("Cannot find torch in the lock file");
  return { rest: entries.filter((entry) => !CUDA.test(entry)).join(""), torch };
}

/** What finds the CPU build: an index that was named, or the one that uv knows. */
export function torchSource(env: Variables, uv: boolean): readonly string[] {
  const index = env["TEMPER_TORCH_INDEX"];
  if (index) return ["--index-url", index];
  if (uv) return ["--torch-backend", "cpu"];
  throw new UsageError("no-torch-index", "Cannot install PyTorch's CPU build: only uv can find it", {
    hint: "Install uv, or set TEMPER_TORCH_INDEX to a package index that has it",
  });
}
