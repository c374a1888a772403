#!/usr/bin/env python3
"""What packaging/start.sh shows at its end.

    first_look.py prompts GSM8K.jsonl N     the first N questions as prompts of `spd generate --chat`, to standard output
    first_look.py show PROMPTS COMPLETIONS  prompts and completions side by side, as wide as the terminal
"""
import json
import shutil
import sys
import textwrap


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def prompts(path, count):
    for row, example in enumerate(read(path)[:count]):
        messages = [{"role": "user", "content": example["question"]}]
        print(json.dumps({"id": f"gsm8k/test/{row}", "messages": messages}, ensure_ascii=False))


def wrapped(text, width):
    """Lines of at most `width` columns; the text's own line ends are kept."""
    return [piece for line in text.strip().split("\n") for piece in textwrap.wrap(line, width) or [""]]


def beside(left, right, width):
    for i in range(max(len(left), len(right))):
        yield f"{left[i] if i < len(left) else '':{width}} | {right[i] if i < len(right) else ''}".rstrip()


def show(prompt_file, completion_file):
    total = shutil.get_terminal_size((110, 24)).columns
    width = max(24, (min(total, 160) - 3) // 2)
    questions = {prompt["id"]: prompt["messages"][-1]["content"] for prompt in read(prompt_file)}
    rule = "-" * width + "-+-" + "-" * width
    for record in read(completion_file):
        print(rule)
        ending = "" if record["finish_reason"] == "stop" else " ..."
        head = beside([str(record["id"])], [f"{record['completion_tokens']} tokens"], width)
        body = beside(wrapped(questions[record["id"]], width), wrapped(record["completion"] + ending, width), width)
        print("\n".join([*head, *body]))
    print(rule)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "prompts" and sys.argv[3].isdigit():
        prompts(sys.argv[2], int(sys.argv[3]))
    elif len(sys.argv) == 4 and sys.argv[1] == "show":
        show(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)
