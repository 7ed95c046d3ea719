/** Reads the tables that hosted services write of a training. */
export { parse } from "npm:csv-parse@7.0.3/sync";
