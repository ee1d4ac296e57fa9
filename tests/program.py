"""The program that tests start: a training on this computer's own processor."""

import sys

TRAIN = [sys.executable, "-m", "model.train", "--device", "cpu"]
