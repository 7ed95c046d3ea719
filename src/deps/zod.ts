/** Schemas of everything that is read: pipeline files, logs, answers of services. */
export * from "npm:zod@4.6.7";
