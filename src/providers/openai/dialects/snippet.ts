import type { Endpoint, HostedSpec } from "./dialect.ts";
import { suffixOf } from "./presets.ts";

/** The command that talks to the new model, and for azure the deployment it needs. The key stays in its variable. */
export function callOf(spec: HostedSpec, { dialect, baseUrl, keyEnv }: Endpoint, model: string) {
  const deployment = spec.provider.deploy_hint ?? suffixOf(spec);
  const name = dialect.name === "azure" ? deployment : model;
  const body = JSON.stringify({ model: name, messages: [{ role: "user", content: "Hello" }] });
  const call = `curl -s ${baseUrl}/chat/completions -H "Authorization: Bearer $${keyEnv}" ` +
    `-H "Content-Type: application/json" -d '${body.replaceAll("'", `'\\''`)}'`;
  if (dialect.name !== "azure") return { call };
  const resource = URL.canParse(baseUrl) ? new URL(baseUrl).hostname.split(".")[0] : "RESOURCE";
  const deploy = `az cognitiveservices account deployment create -g RESOURCE_GROUP -n ${resource} ` +
    `--deployment-name ${deployment} --model-name ${model} --model-version 1 --model-format OpenAI ` +
    "--sku-name Standard --sku-capacity 1";
  return { call, deploy };
}
