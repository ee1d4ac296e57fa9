"""Trains for 100 steps: their losses to the last bit, and the report of the model they leave.

    .venv/bin/python book/first_losses.py       in the folder of a step

It is make train, whose loop ends early; nothing of the step's code is changed. A step whose
commit says `Same-run: yes` is proven by this: it must print what the step before prints.
"""

import runpy
import sys

COUNT = 100


def main():
    from model.services.progress import Progress

    note, walk, losses = Progress.note, Progress.__iter__, []

    def note_and_keep(progress, loss, *tokens, **named):
        losses.append(float(loss).hex())
        note(progress, loss, *tokens, **named)

    def walk_a_little(progress):
        for item in walk(progress):
            yield item
            if len(losses) == COUNT:
                break

    Progress.note, Progress.__iter__ = note_and_keep, walk_a_little
    sys.argv = ["train"]
    try:
        runpy.run_module("model.train", run_name="__main__")
    finally:
        print(*(f"{number + 1} {loss}" for number, loss in enumerate(losses)), sep="\n")


if __name__ == "__main__":
    sys.path[0] = ""
    main()
