"""What a program shows while it works and when it cannot. Nothing here is part of the lesson."""

import os
import signal
import sys
import time
import traceback
from pathlib import Path

from tqdm import tqdm


def fail(message):
    """Ends the program with one line on standard error and exit status 2.

    With the option --traceback, which every program has, the lines of Python's own come first.
    """
    if Progress.bar:
        Progress.bar.close()
    if "--traceback" in sys.orig_argv and sys.exception():
        traceback.print_exc()
    # What comes out of a file may hold line ends, and codes that a terminal obeys.
    print("".join(c if c.isprintable() else ascii(c)[1:-1] for c in message), file=sys.stderr)
    sys.exit(2)


def run_program(main):
    """Runs a program. What nobody has foreseen ends it in one line too.

    Ctrl-C or a reader that went away (| head) end it without a word.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:  # by model/__init__.py
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [word for word in sys.argv if word != "--traceback"]
    if sys.stdout:
        # Where there is no "·", as in ASCII, "?" is better than an error after a whole training.
        sys.stdout.reconfigure(errors="replace")
    try:
        main()
        print(end="", flush=True)
    except (KeyboardInterrupt, BrokenPipeError):
        drop_output()
        sys.exit(130)
    except Exception as error:
        got = "".join(traceback.format_exception_only(error)).strip()
        try:
            print(end="", flush=True)
        except OSError as full:
            got = f"{full.strerror} at standard output"
            drop_output()
        fail(f"{Path(sys.argv[0]).stem}: got {got}; expected no error (--traceback: where)")


def drop_output():
    """What standard output did not take is not tried again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


class Progress:
    """Yields `items` one by one and shows step, loss, tokens/s and time left on stderr.

    The loss shown is smoothed: each step moves it by a hundredth of the way to its own loss.

    Ctrl-C and SIGTERM end the loop after the step in hand, so that it can be saved and reported.
    """

    bar = None

    def __init__(self, items):
        self.items = items
        self.steps, self.tokens, self.seconds = 0, 0, 0.0
        self.average, self.next = None, 0.0
        self.stopped = self.last = False

    def __iter__(self):
        signals = signal.SIGINT, signal.SIGTERM
        before = [signal.signal(number, self._stop) for number in signals]
        self.start = time.perf_counter()
        Progress.bar = bar = tqdm(
            total=self.items.stop,
            initial=self.items.start,
            bar_format="step {n_fmt} of {total_fmt} · {desc}{remaining} left",
            mininterval=0.1,
            delay=0.5,
            miniters=1,
        )
        for item in self.items:
            self.last = item == self.items[-1]
            yield item
            bar.update(self.items.start + self.steps - bar.n)
            if self.stopped:
                break
        bar.close()
        for number, handler in zip(signals, before):
            signal.signal(number, handler)

    def due(self):
        """Whether to note now what is not noted yet: twice a second, and where the loop ends.

        A loss that a device still works on is waited for only then.
        """
        now = time.perf_counter()
        if now < self.next and not (self.stopped or self.last):
            return False
        self.next = now + 0.5
        return True

    def note(self, loss, tokens=1):
        """Tells the display the loss of the next step and over how many tokens it was taken."""
        self.steps += 1
        self.tokens += tokens
        self.seconds = time.perf_counter() - self.start
        self.average = loss if self.average is None else 0.99 * self.average + 0.01 * loss
        speed = self.tokens / self.seconds
        Progress.bar.set_description_str(
            f"loss {self.average:.3f} · {speed:,.0f} tokens/s · ", refresh=False
        )

    def say(self, line):
        """A line above the display."""
        Progress.bar.write(line, file=sys.stderr)

    def speed(self):
        """The last words of the report line: ms/step and tokens/s."""
        if self.steps == 0:
            return "no step was left"
        ms = 1000 * self.seconds / self.steps
        return f"{ms:.2f} ms/step · {self.tokens / max(self.seconds, 1e-9):,.0f} tokens/s"

    def _stop(self, signal_number, frame):
        self.stopped = True
        signal.signal(signal_number, signal.SIG_DFL)
