/** The API's routes and their description in one. */
export { createRoute, OpenAPIHono, z } from "npm:@hono/zod-openapi@1.6.3";
