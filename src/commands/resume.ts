import { resume as resumeRun } from "../library/resume.ts";
import {
  ADOPT_OPTION,
  CACHE_OPTION,
  type Command,
  CREATE_ANYWAY_OPTION,
  FORCE_OPTION,
  PRICES_OPTION,
  RUNS_OPTION,
  TAKEOVER_OPTION,
} from "../cli/command.ts";
import { driveOnScreen } from "../cli/drive_on_screen.ts";

export const resume: Command = {
  name: "resume",
  summary: "Go on with a run as it was made, without its pipeline file",
  usage: "RUN",
  positionals: [1, 1],
  options: {
    runs: RUNS_OPTION,
    cache: { ...CACHE_OPTION, help: "Folder for cached files (default: the one that the run was made with)" },
    force: FORCE_OPTION,
    takeover: TAKEOVER_OPTION,
    prices: PRICES_OPTION,
    adopt: ADOPT_OPTION,
    "create-anyway": CREATE_ANYWAY_OPTION,
  },
  details:
    "RUN is an id, the start of one, or last. The run's folder has what is needed: the pipeline, the values of " +
    "--set and the combination of a matrix. A training that is still running is followed, one that died goes on from " +
    "its latest checkpoint. A finished run is shown; one that failed or was cancelled has ended, and its pipeline is " +
    "run again. Works from any folder with --runs.\n\n" +
    "`temper resume last`",
  run: (context) => driveOnScreen(context, (options) => resumeRun(context.positionals[0]!, options)),
};
