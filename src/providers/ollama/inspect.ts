import { UsageError } from "../../lib/errors.ts";
import type { FieldProblem } from "../../spec/rules/field_problem.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import { valuesWith } from "../../spec/rules/secrets.ts";
import type { Env, InspectOptions } from "../provider.ts";
import { inspectTraining } from "../trainer/inspect.ts";
import { authorized, serverFields, serverOf } from "./server.ts";

/** What would keep a pipeline from training here or from being served, as far as is known without asking the server. */
export async function inspectOllama(
  loaded: LoadedSpec,
  env: Env,
  options: InspectOptions,
): Promise<FieldProblem[]> {
  const { auth_env: name } = serverFields(loaded.spec);
  const quoted = valuesWith(loaded.spec, name === undefined ? undefined : env.env[name]);
  return [...quoted, ...serverFindings(loaded, env), ...await inspectTraining(loaded, env, options)];
}

/** A variable that is not set is no problem: a file may be checked on another machine than the one it runs on. */
function serverFindings({ spec }: LoadedSpec, { env }: Env): FieldProblem[] {
  const { auth_env: name, ...fields } = serverFields(spec);
  const isSet = name !== undefined && env[name] !== undefined;
  try {
    authorized(serverOf(fields, env), isSet ? { auth_env: name } : {}, env);
    return [];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const path = ["provider", isSet ? "auth_env" : fields.server === undefined ? "kind" : "server"];
    return [{ path, at: "value", message: error.message, hint: error.hint }];
  }
}
