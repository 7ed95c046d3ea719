/** The list follows the runs by asking for itself again, while somebody looks. */
import { fetchPage, replace, say } from "./live.js";

const EVERY_MS = 3000;

async function refresh() {
  if (document.hidden) return;
  try {
    const page = await fetchPage();
    const fresh = page?.getElementById("live");
    if (!fresh) return say("lost", "not reached");
    replace(document.getElementById("live"), fresh);
    say("live", "live");
  } catch {
    say("lost", "not reached");
  }
}

say("live", "live");
setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
