import os

# numpy would share each matrix product among threads. Our processes share the rows of a batch
# instead, at one thread each. To be set before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

STEP = "step-44"
