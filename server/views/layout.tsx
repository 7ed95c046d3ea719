/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { type Child, html } from "../../src/deps/hono.ts";
import { assetPath } from "../static.ts";
import { SignOut } from "./sign_out.tsx";

export interface LayoutProps {
  readonly title: string;
  /** Scripts for live updates. */
  readonly scripts?: readonly string[];
  /** Where the way back leads. */
  readonly trail?: Child;
  readonly children?: Child;
}

/** A whole page. It holds no script and no style of its own: the policy it is sent with would not run them. */
export function Layout({ title, scripts = [], trail, children }: LayoutProps) {
  return html`<!doctype html>${(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" type="image/svg+xml" href={assetPath("icon.svg")} />
        <link rel="stylesheet" href={assetPath("style.css")} />
        {scripts.map((name) => <script type="module" src={assetPath(name)}></script>)}
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header class="top">
          <div>
            <nav aria-label="Site">
              <a class="home" href="/">temper</a>
              {trail}
            </nav>
            <SignOut />
            <p class="pulse" id="pulse" role="status" hidden></p>
          </div>
        </header>
        <main id="content">{children}</main>
      </body>
    </html>
  )}`;
}

/** Shown instead of a page that cannot be shown. */
export function ErrorPage({ title, message, hint }: { title: string; message: string; hint?: string }) {
  return (
    <Layout title={`${title} · temper`}>
      <h1>{title}</h1>
      <pre
        class="terminal"
        tabindex={0}
      ><span class="error">{message}</span>{hint === undefined ? "" : `\n${hint}`}</pre>
      <p>
        <a href="/">All runs</a>
      </p>
    </Layout>
  );
}
