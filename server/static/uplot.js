/** For tools that read these files where they lie. Browsers get the package's own file under this name. */
export { default } from "uplot";
