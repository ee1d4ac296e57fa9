import os
import signal
import sys

# numpy would share each matrix product among threads. Our processes share the rows of a batch
# instead, at one thread each. To be set before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# While a program imports what it needs, Ctrl-C ends it at once; from then on run_program does.
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) == signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

STEP = "step-91"
