import type { Env } from "../../provider.ts";

type Variables = Env["env"];

/** What a program needs to find itself, its home, a proxy and its certificates. Nothing that could be a secret. */
const ANY_CHILD =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LC_\w+|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|PYENV_\w+|XDG_CACHE_HOME|SSL_CERT_\w+|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|https?_proxy|HTTPS?_PROXY|(ALL|NO)_PROXY|(all|no)_proxy)$/;
/** Where packages come from and how. May name a private index with its password, so installers alone get it. */
const INSTALLER = /^(UV|PIP)_\w+$/;
/** Which devices, threads and folders the trainer may use. */
const TRAINER =
  /^(CUDA_\w+|NVIDIA_\w+|OMP_\w+|MKL_\w+|KMP_\w+|GOMP_\w+|PYTORCH_\w+|TORCH_\w+|HF_HOME|HF_HUB_CACHE|HF_HUB_OFFLINE|HF_ENDPOINT|PYTHONPYCACHEPREFIX)$/;

/** Environment of the trainer: variables it is known to need, and no others. */
export function trainerEnv(variables: Variables, trainerDir?: string): Record<string, string> {
  return {
    ...pick(variables, ANY_CHILD, TRAINER),
    ...trainerDir !== undefined && { PYTHONPATH: trainerDir },
    // The folder a job runs in must not shadow a module.
    PYTHONSAFEPATH: "1",
    PYTHONUNBUFFERED: "1",
    PYTHONUTF8: "1",
    HF_HUB_DISABLE_TELEMETRY: "1",
    DO_NOT_TRACK: "1",
    TOKENIZERS_PARALLELISM: "false",
  };
}

/** Environment of the programs that install packages. Byte code is compiled, whatever the user's shell says. */
export function installerEnv(variables: Variables): Record<string, string> {
  return { ...pick(variables, ANY_CHILD, INSTALLER), PYTHONUTF8: "1", DO_NOT_TRACK: "1" };
}

function pick(variables: Variables, ...allowed: readonly RegExp[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (value !== undefined && allowed.some((pattern) => pattern.test(name))) picked[name] = value;
  }
  return picked;
}
