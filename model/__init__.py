import signal
import sys

# While a program imports what it needs, Ctrl-C ends it at once; from then on run_program does.
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) == signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

STEP = "step-60"
