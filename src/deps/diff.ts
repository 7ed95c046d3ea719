/** Compares texts, cut into words by whoever asks. */
export { diffArrays } from "npm:diff@9.0.0";
