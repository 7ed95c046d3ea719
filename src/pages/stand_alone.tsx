/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
// Deno 2.9 does not install a package that a module loaded later names in its pragma alone.
import "../deps/hono.ts";
import { PAGE_STYLE } from "./style.ts";

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** A page as one file that needs nothing else: its style is in it, and it runs no script. */
export function standAlone(title: string, content: unknown): string {
  const document = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content={POLICY} />
        <title>{title}</title>
        <style dangerouslySetInnerHTML={{ __html: PAGE_STYLE }}></style>
      </head>
      <body>
        <main>
          <h1>{title}</h1>
          {content}
        </main>
      </body>
    </html>
  );
  return `<!doctype html>\n${document}\n`;
}
