/** A chart as a picture to keep. */

const HEAD = 26;
const FOOT = 22;
const FONT = "system-ui, sans-serif";

/** Saves what is drawn with its title above it, its lines' names below, and the page's colour behind it. */
export async function download(canvas, { title, keys, ink, page }) {
  const scale = devicePixelRatio;
  const picture = document.createElement("canvas");
  picture.width = canvas.width;
  picture.height = canvas.height + (HEAD + FOOT) * scale;
  const context = picture.getContext("2d");
  context.fillStyle = page;
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(canvas, 0, HEAD * scale);
  context.scale(scale, scale);
  context.fillStyle = ink;
  context.font = `600 14px ${FONT}`;
  context.fillText(title, 10, 18);
  context.font = `11px ${FONT}`;
  const line = HEAD + canvas.height / scale + 14;
  let left = 10;
  for (const { label, color } of keys) {
    context.fillStyle = color;
    context.fillRect(left, line - 5, 14, 3);
    context.fillStyle = ink;
    context.fillText(label, left + 18, line);
    left += 34 + context.measureText(label).width;
  }
  save(await new Promise((done) => picture.toBlob(done, "image/png")), `${nameOf(title)}.png`);
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** `loss-20261122-080000-home-lora-aaaa`: the chart, and the page it is from. */
function nameOf(title) {
  const page = decodeURIComponent(location.pathname.split("/").at(-1));
  return `${title}-${page}`.toLowerCase().replace(/[^\w.-]+/g, "-");
}
