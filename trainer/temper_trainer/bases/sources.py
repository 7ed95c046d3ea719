"""Where a base comes from, and whether it is the one the job names."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import TrainerError
from ..files import file_sha256, folder_sha256
from ..job.failures import explained
from .weight_files import INDEX, SINGLE, UnusableWeightsError, indexed_files

DOWNLOADED = [
    INDEX,
    "chat_template.jinja",
    "merges.txt",
    "tokenizer.model",
    *(
        f"{name}.json"
        for name in (
            "config",
            "generation_config",
            "tokenizer",
            "tokenizer_config",
            "special_tokens_map",
            "added_tokens",
            "vocab",
        )
    ),
]
"""Everything but weights, which come afterwards: the index says which. Names without a wildcard, which would match
below folders too, where copies of the weights lie: original/, checkpoints/step-100/."""
OFFLINE_HINT = (
    "Without network access, pass a folder that holds the model, or set HF_HOME to a Hugging Face cache that has it"
)


def find_source(base: dict[str, Any]) -> Path:
    """The verified GGUF file or folder of a base."""
    if base["kind"] == "hub":
        with explained("missing_base", f'Cannot download base "{base["id"]}"', OFFLINE_HINT):
            return download(base["id"], base.get("revision") or "main")
    path = _in_package(base["package"], base["file"]) if base["kind"] == "builtin" else Path(base["path"])
    wanted = "folder" if base["kind"] == "folder" else "file"
    if not (path.is_dir() if wanted == "folder" else path.is_file()):
        raise TrainerError("missing_base", f'Cannot find base "{path}": there is no such {wanted}')
    digest = folder_sha256(path) if wanted == "folder" else file_sha256(path)
    if digest != base["sha256"]:
        raise TrainerError(
            "changed_base",
            f'Cannot use base "{path}": its sha256 is {digest}, the job was made for {base["sha256"]}',
            "Run the pipeline again, so that the job is made for the base as it is now",
        )
    return path


def download(name: str, revision: str) -> Path:
    """The folder of one revision of a model on the Hugging Face hub; from its cache where it is already there."""
    from huggingface_hub import errors, snapshot_download

    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=DOWNLOADED))
        for weights in (_indexed(folder), [SINGLE]):
            # Of the same commit, which a branch may no longer name
            snapshot_download(name, revision=folder.name, allow_patterns=weights)
            if weights and all((folder / file).is_file() for file in weights):
                break
        return folder
    except errors.GatedRepoError as error:
        reason, hint = "access to it must be requested", "Request access on its page and set HF_TOKEN"
        raise _no_download(name, revision, reason, hint) from error
    except errors.RevisionNotFoundError as error:
        raise _no_download(name, revision, "there is no such revision", "Name a branch, a tag or a commit") from error
    except errors.RepositoryNotFoundError as error:
        reason, hint = "there is no such model, or it is private", "Check the name; private models need HF_TOKEN"
        raise _no_download(name, revision, reason, hint) from error
    except errors.HFValidationError as error:
        raise _no_download(name, revision, "it is not a valid hub name", "Write owner/name") from error
    except errors.LocalEntryNotFoundError as error:
        reason = "the hub cannot be reached, and its cache on this machine does not have it"
        raise _no_download(name, revision, reason, OFFLINE_HINT) from error
    except (errors.HfHubHTTPError, OSError) as error:
        raise _no_download(name, revision, str(error).splitlines()[0], OFFLINE_HINT) from error


def _indexed(folder: Path) -> list[str]:
    """What an index names that can be used. One that cannot, may lie beside whole weights."""
    try:
        return indexed_files(folder) if (folder / INDEX).is_file() else []
    except UnusableWeightsError:
        return []


def _no_download(name: str, revision: str, reason: str, hint: str) -> TrainerError:
    return TrainerError("missing_base", f'Cannot download base "{name}" at revision "{revision}": {reason}', hint)


def _in_package(package: str, file: str) -> Path:
    # Importing it would import what it depends on, which is not installed.
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        return Path(folder) / file
    raise TrainerError(
        "missing_base",
        f'Cannot find the built-in base: Python package "{package}" is not installed',
        "Install the packages of trainer/requirements.lock into the Python that TEMPER_PYTHON names",
    )
