/** The lexer alone, imported by name: the status page may load no module whose path is found while it runs. */
export { CST, Lexer } from "npm:yaml@2.9.1";
