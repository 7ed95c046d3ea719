// deno-lint-ignore-file camelcase -- names of the pipeline file
import type { Json, JsonObject } from "../../lib/json/json.ts";
import type { Method } from "../schema/schema_method.ts";

/**
 * A hosted service: all that differs between the services that speak OpenAI's fine-tuning protocol, in one object. The
 * schema, the checks, the settings, prices, dates and estimates of `plan`, the job and the closing example derive from
 * it. It is pure and lives below the schema, which takes its names from it.
 */
export interface Dialect {
  /** Value of provider.dialect. */
  readonly name: string;
  /** The service's name in messages. */
  readonly service: string;
  readonly address: ServiceAddress;
  /** Variable with the API key, unless provider.api_key_env names another. */
  readonly keyEnv: string;

  /** How a job is recognised: by metadata that the job list can be filtered by, or by its suffix and training file. */
  readonly findsJobsBy: "metadata" | "suffix";
  readonly trainsPreferencePairs: boolean;
  readonly chargesForValidation: boolean;
  /** Present where a model answers only through a deployment, which costs by the hour. Such models are not scored. */
  readonly deployment?: (model: DeployedModel) => Deployment;

  /** Fields of the pipeline file that the service has no place for, each with what to do instead. */
  readonly lacks: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly rows: RowRules;
  readonly upload: UploadRules;

  readonly presets: Presets;
  /** Passes over `rows` rows where the file does not say. Always sent, so that the price is known. */
  epochs(rows: number): number;
  /** Everything that is sent as a hyperparameter, with its reason. */
  hyperparameters(job: JobRequest): readonly Hyperparameter[];
  /** Body of the call that creates the job, without files and metadata. */
  createBody(job: JobRequest, hyperparameters: JsonObject): JsonObject;

  /** What becomes of the method, as a sentence for `plan`. */
  methodNote(method: Method): string;
  /** What to know about the counted tokens, for `plan`. */
  readonly tokenNote?: string;
  readonly prices: PriceTable;
  readonly closing: ClosingDates;
}

export interface ServiceAddress {
  /** Absent where each customer has an address of their own. */
  readonly standard?: string;
  /** An address, as a hint writes it. */
  readonly example: string;
  /** Variable that is read where provider.base_url is not set. */
  readonly env: string;
  /** Host names of the service itself: its closing dates hold there, not at a gateway or a mock. */
  readonly hosts: RegExp;
}

export interface DeployedModel {
  readonly model: string;
  readonly baseUrl: string;
  /** provider.deploy_hint, else the suffix. */
  readonly name: string;
}

export interface Deployment {
  /** What requests call the model. */
  readonly name: string;
  /** The command that makes it. */
  readonly command: string;
}

export interface Limits {
  readonly leastRows: number;
  /** Tokens of a row; the service cuts the rest without an error. */
  readonly rowTokens: number;
  readonly epochs: number;
  readonly batchSize: number;
}

/** What a row may contain. Services check it only after the upload. */
export interface RowRules {
  /** Fields of a message that may stay, beside role, content and tool calls. A row with any other field is refused. */
  readonly messageFields: readonly string[];
  /** Special tokens in a text fail the job. */
  readonly specialTokens: RegExp;
  /** Images in one row. */
  readonly images: number;
}

export interface UploadRules {
  /** Files above this are sent in parts. */
  readonly oneRequestBytes: number;
  readonly partBytes: number;
}

/** What each method becomes. */
export type Presets = { readonly [K in Method["kind"]]: Preset<Extract<Method, { kind: K }>> };

export interface Preset<M extends Method = Method> {
  /** Hyperparameters that stand for the method. */
  sends(method: M): JsonObject;
  readonly reason: string;
}

/** Kind of training: on examples to imitate, or on answers to prefer over others. */
export type Goal = "supervised" | "dpo";

/** The fields of a pipeline that a dialect may read. */
export interface HostedFields {
  readonly method: Method;
  readonly train: {
    readonly epochs?: number | undefined;
    readonly learning_rate?: number | undefined;
    readonly batch_size: number;
    readonly max_length: number;
    readonly warmup_ratio: number;
    readonly weight_decay: number;
    readonly max_grad_norm: number;
    readonly seed: number;
  };
  readonly provider: {
    readonly base: string;
    readonly learning_rate_multiplier?: number | undefined;
    readonly beta?: number | undefined;
    readonly integrations?: readonly Integration[] | undefined;
  };
}

export interface Integration {
  readonly kind: string;
  readonly project: string;
  readonly name?: string | undefined;
  readonly entity?: string | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** The job that a pipeline asks for. */
export interface JobRequest {
  readonly fields: HostedFields;
  readonly epochs: number;
  readonly goal: Goal;
  readonly suffix: string;
  /** Whether the file sets a field itself, by its dotted path. */
  isSet(field: string): boolean;
}

export interface Hyperparameter {
  readonly name: string;
  readonly value: Json;
  readonly reason: string;
}

/** USD for a million tokens, by base. Data, not truth: provider.price and --prices come first. */
export interface PriceTable {
  /** Day on which they were read. */
  readonly date: string;
  readonly models: Readonly<Record<string, ModelPrice>>;
}

export interface ModelPrice {
  readonly training: number;
  readonly input?: number;
  readonly output?: number;
}

/** When something ends, as the service announced it. */
export interface ClosingDates {
  /** Day on which this was read. */
  readonly date: string;
  /** From this day the service takes no new jobs. */
  readonly service?: string;
  /** From this day a base takes no new trainings. */
  readonly bases: Readonly<Record<string, string>>;
}
