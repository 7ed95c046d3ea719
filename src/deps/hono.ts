/** The status page: routes, cookies, headers. Files with JSX name the same version in their first line. */
export { type Context, Hono, type MiddlewareHandler } from "npm:hono@4.13.19";
export { getCookie, setCookie } from "npm:hono@4.13.19/cookie";
export { html } from "npm:hono@4.13.19/html";
export { type Child, createContext, useContext } from "npm:hono@4.13.19/jsx";
export { secureHeaders } from "npm:hono@4.13.19/secure-headers";
