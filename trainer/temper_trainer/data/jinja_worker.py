"""Runs a chat template, which is a program that came with a base, in a process of its own with little memory and time.

Started by path, so that nothing but transformers' renderer is imported. Speaks JSON, a line at a time:

in:  {"template", "special": {"bos_token": …}, "memory", "seconds"}      out: {"template", "reads", "date"} or {"error"}
in:  [{"messages", "tools", "prompt", "variables"}, …]                   out: a line {"text"} or {"error"} for each
"""

import datetime
import functools
import json
import resource
import signal
import sys

FROZEN = datetime.date(2024, 7, 26)
"""The day that templates are told. It is the one Llama 3 templates write when there is no clock."""
SERVED_DATES = {"date_string": "%d %b %Y", "datetime": "%b %d %Y"}
"""Names under which llama.cpp gives every template the date, and how it writes it."""
LONGEST = 32 << 20
"""Characters of one rendered conversation."""


def main() -> None:
    from transformers.utils import chat_template_utils as renderer

    # transformers compiles a template anew for every conversation, which takes longer than rendering it.
    compiled = functools.lru_cache(renderer._compile_jinja_template)
    renderer._compile_jinja_template = compiled
    start = json.loads(sys.stdin.readline())
    limit_memory(start["memory"])
    template = start["template"]

    def begin() -> dict:
        nonlocal template
        names, formats = read(compiled(template), template)
        dated = bool({"strftime_now", *SERVED_DATES} & {*names})
        if dated:
            template = with_fixed_date(template, formats, names)
            compiled(template)
        reads = [name for name in names if name not in SERVED_DATES]
        return {"template": template, "reads": reads, "date": str(FROZEN) if dated else None}

    def render(request: dict) -> dict:
        (text,), _ = renderer.render_jinja_template(
            conversations=[request["messages"]],
            tools=request["tools"],
            chat_template=template,
            add_generation_prompt=request["prompt"],
            **start["special"] | request["variables"],
        )
        return {"text": text} if len(text) <= LONGEST else {"error": f"it writes more than {LONGEST:,} characters"}

    answer(begin, start["seconds"])
    for line in sys.stdin:
        for request in json.loads(line):
            answer(functools.partial(render, request), start["seconds"])
        sys.stdout.flush()


def limit_memory(most: int) -> None:
    """`most` bytes beyond what is there already. A system that does not say how much that is limits time alone."""
    try:
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[0])
    except FileNotFoundError:
        return
    limit = pages * resource.getpagesize() + most
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def answer(work, seconds: float) -> None:
    """One line. Work that takes longer than `seconds` of processor time ends the process: nothing else stops a loop
    inside the interpreter's own C code."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        reply = work()
    except MemoryError:
        reply = {"error": "it needs too much memory"}
    except RecursionError:
        reply = {"error": "it calls itself without end"}
    except Exception as error:  # a template can raise anything
        place = f" (line {error.lineno})" if getattr(error, "lineno", None) else ""
        reply = {"error": (" ".join(str(error).split()) or type(error).__name__) + place}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    print(json.dumps(reply), flush=True)


def read(compiled, source: str) -> tuple[list[str], list[str]]:
    """The names a template reads, and the formats in which it asks for the date."""
    from jinja2 import nodes

    tree = compiled.environment.parse(source)
    names = sorted({node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"})
    calls = [node for node in tree.find_all(nodes.Call) if getattr(node.node, "name", None) == "strftime_now"]
    formats = {call.args[0].value for call in calls if call.args and isinstance(call.args[0], nodes.Const)}
    return names, sorted(formats)


def with_fixed_date(source: str, formats: list[str], names: list[str]) -> str:
    """The template with a date of its own in place of the clock, so that every engine writes the one that was trained.

    The line break behind the definitions is not part of the text, and lets the template begin as it did: at a line's
    start.
    """
    branches = "".join(
        f"{{%- {'elif' if index else 'if'} format == {json.dumps(form)} -%}}{FROZEN.strftime(form)}"
        for index, form in enumerate(formats)
    )
    body = f"{branches}{{%- else -%}}{FROZEN}{{%- endif -%}}" if branches else str(FROZEN)
    variables = "".join(
        f"{{%- set {name} = {json.dumps(FROZEN.strftime(form))} %}}"
        for name, form in SERVED_DATES.items()
        if name in names
    )
    macro = f"{{%- macro strftime_now(format) -%}}{body}{{%- endmacro %}}" if "strftime_now" in names else ""
    return f"{variables}{macro}\n{source}"


if __name__ == "__main__":
    main()
