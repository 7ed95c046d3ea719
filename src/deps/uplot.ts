/** The charts of the status page, as the text that browsers load. */
export { default as uplotCss } from "npm:uplot@1.6.32/dist/uPlot.min.css" with { type: "text" };
export { default as uplotJs } from "npm:uplot@1.6.32/dist/uPlot.iife.min.js" with { type: "text" };
